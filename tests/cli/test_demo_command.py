"""`recsys demo`."""

from pathlib import Path

from command_line import Shop, recsys

from recommender.catalog import Catalog, Tags


def test_demo_with_a_folder_of_music(shop: Shop) -> None:
    assert shop.demo.status == 0
    steps = [line.split()[2] for line in shop.demo.out.splitlines() if line.startswith("$ recsys")]
    assert steps == ["ingest", "status", "similar", "evaluate"]
    assert "8 analysed" in shop.demo.out
    assert "1 failed" in shop.demo.out
    assert "precision@3" in shop.demo.out
    assert str(shop.database) in shop.demo.out
    assert "recsys failures" in shop.demo.err


def test_demo_goes_on_without_genre_tags(shop: Shop, catalog: Path) -> None:
    with Catalog.open(str(catalog)) as opened:
        library = opened.libraries()[0]
        files = opened.known_files(library, opened.spaces()[0][0])
        with opened.writing() as write:
            for file in files.values():
                if file.track_id:
                    write.retagged(file.track_id, file.stat, Tags(), file.content_hash or "")
    catalog.rename(catalog.with_name(shop.database.name))
    demo = recsys("demo", "--music", shop.music, "--folder", catalog.parent)
    assert demo.status == 0
    assert "not evaluated: no track has a genre" in demo.err


def test_demo_with_nothing_to_analyse(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    demo = recsys("demo", "--music", tmp_path / "empty", "--folder", tmp_path / "demo")
    assert demo.status == 1
    assert "nothing in" in demo.err
