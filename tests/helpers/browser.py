"""A headless Chromium that draws in software and calls nobody."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WAIT_S = 30.0

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--hide-scrollbars",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    # Whatever it were to ask of another machine fails.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def missing() -> str | None:
    """What is not installed, as the reason to skip a test; None where all is there."""
    try:
        import selenium  # noqa: F401
    except ModuleNotFoundError:
        return "selenium is not installed"
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        return "Chromium and its driver are not installed (Debian: chromium, chromium-driver)"
    return None


WEBGL_IN_SOFTWARE = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


@contextmanager
def chromium(
    width: int = 1280,
    height: int = 800,
    *,
    is_dark: bool = False,
    is_phone: bool = False,
    more: tuple[str, ...] = (),
) -> Iterator[Any]:
    """A window of this size, with a profile of its own; closed at the end.

    `more`: flags of Chromium, such as `WEBGL_IN_SOFTWARE`, which then draws pages, too.
    """
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [flag for flag in _FLAGS if not (more and flag == "--disable-gpu")]
        for flag in (
            *flags,
            *more,
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
        ):
            options.add_argument(flag)
        driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
        try:
            screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": is_phone})
            scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
            yield driver
        finally:
            driver.quit()


def until(driver: Any, condition: str, seconds: float = WAIT_S) -> Any:
    """The first value of a JavaScript expression that counts as true. Raises `AssertionError`."""
    end = time.monotonic() + seconds
    while True:
        found = driver.execute_script(f"return {condition}")
        if found:
            return found
        assert time.monotonic() < end, f"never came true: {condition}"
        time.sleep(0.05)
