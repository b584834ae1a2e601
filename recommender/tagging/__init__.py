"""Musical descriptors written into the tags of the files themselves, when a person asks for it.

`file_fields` sets the fields of one file of any format, `writing` replaces files whole or not at
all and tells the catalogue, and `journal` keeps what was there before.
"""

from recommender.tagging.writing import FIELDS, TagChange, TagSettings, undo_tags, write_tags

__all__ = ["FIELDS", "TagChange", "TagSettings", "undo_tags", "write_tags"]
