-- A catalogue as schema 0001 left it: `sqlite3.Connection.iterdump` of two tracks and a failure.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE catalog (
	id INTEGER NOT NULL,
	uuid VARCHAR(36) NOT NULL,
	revision INTEGER NOT NULL,
	active_space_id INTEGER,
	active_listening JSON,
	CONSTRAINT pk_catalog PRIMARY KEY (id),
	CONSTRAINT fk_catalog_active_space_id_spaces FOREIGN KEY(active_space_id) REFERENCES spaces (id)
);
INSERT INTO "catalog" VALUES(1,'6f2d1e0c-0000-4000-8000-000000000001',3,1,'{"model": "default", "windowing": {"count": 5, "seconds": 10.0}}');
CREATE TABLE failures (
	id INTEGER NOT NULL,
	library_id INTEGER NOT NULL,
	path TEXT NOT NULL,
	size BIGINT NOT NULL,
	mtime_ns BIGINT NOT NULL,
	kind TEXT NOT NULL,
	reason TEXT NOT NULL,
	failed_at DATETIME NOT NULL,
	CONSTRAINT pk_failures PRIMARY KEY (id),
	CONSTRAINT fk_failures_library_id_libraries FOREIGN KEY(library_id) REFERENCES libraries (id),
	CONSTRAINT uq_failures_library_id_path UNIQUE (library_id, path)
);
INSERT INTO "failures" VALUES(1,1,'bad.mp3',3,1,'unreadable','no sound in it','2026-01-01 00:00:00.000000');
CREATE TABLE hearings (
	track_id INTEGER NOT NULL,
	space_id INTEGER NOT NULL,
	heard_at DATETIME NOT NULL,
	heard_by TEXT NOT NULL,
	genre_probabilities JSON NOT NULL,
	windows JSON NOT NULL,
	activations BLOB NOT NULL,
	CONSTRAINT pk_hearings PRIMARY KEY (track_id, space_id),
	CONSTRAINT fk_hearings_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE,
	CONSTRAINT fk_hearings_space_id_spaces FOREIGN KEY(space_id) REFERENCES spaces (id)
);
INSERT INTO "hearings" VALUES(1,1,'2026-01-01 00:00:00.000000','0.1.0','{"rock": 0.25, "jazz": 0.75}','[[0.0, 10.0]]',X'000000000000003F000080BF00000040');
INSERT INTO "hearings" VALUES(2,1,'2026-01-01 00:00:00.000000','0.1.0','{"rock": 0.25, "jazz": 0.75}','[[0.0, 10.0]]',X'0000803F0000003F000080BF00000040');
CREATE TABLE libraries (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	root TEXT NOT NULL,
	CONSTRAINT uq_libraries_root UNIQUE (root)
);
INSERT INTO "libraries" VALUES(1,'/music');
CREATE TABLE spaces (
	id INTEGER NOT NULL,
	model TEXT NOT NULL,
	weights TEXT NOT NULL,
	hearing TEXT NOT NULL,
	dimension INTEGER,
	CONSTRAINT pk_spaces PRIMARY KEY (id),
	CONSTRAINT uq_spaces_model_weights_hearing UNIQUE (model, weights, hearing)
);
INSERT INTO "spaces" VALUES(1,'default','0a1b2c3d4e5f','a1b2c3d4e5f6',4);
CREATE TABLE tracks (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	library_id INTEGER NOT NULL,
	path TEXT NOT NULL,
	size BIGINT NOT NULL,
	mtime_ns BIGINT NOT NULL,
	digest TEXT NOT NULL,
	whole_digest TEXT,
	state VARCHAR(16) NOT NULL,
	duration DOUBLE NOT NULL,
	title TEXT,
	artist TEXT,
	album TEXT,
	album_artist TEXT,
	genre TEXT,
	track_number INTEGER,
	year INTEGER,
	search_text TEXT NOT NULL,
	CONSTRAINT fk_tracks_library_id_libraries FOREIGN KEY(library_id) REFERENCES libraries (id),
	CONSTRAINT uq_tracks_library_id_path UNIQUE (library_id, path)
);
INSERT INTO "tracks" VALUES(1,1,'one.flac',1000,1,'one.flac',NULL,'heard',60.0,'First Light','Anna','Dawn',NULL,'Folk',NULL,NULL,'first light
anna
dawn
one.flac');
INSERT INTO "tracks" VALUES(2,1,'two.flac',1001,1,'two.flac',NULL,'heard',61.0,'Second Light','Bela',NULL,NULL,NULL,NULL,NULL,'second light
bela
two.flac');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('libraries',1);
INSERT INTO "sqlite_sequence" VALUES('tracks',2);
COMMIT;
