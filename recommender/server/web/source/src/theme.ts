// Runs before the first paint, so that a chosen theme never follows the other one.
try {
  const chosen = localStorage.getItem("recsys.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Without storage the system's theme holds.
}
