// What /api/v1 gives, as far as the page uses it.

export interface Track {
  id: number;
  title: string;
  artist: string | null;
  artists: string[];
  album: string | null;
  album_artist: string | null;
  genre: string | null;
  predicted_genre: string | null;
  year: number | null;
  duration: number;
  state: string;
  damaged: boolean;
}

export interface Descriptors {
  id: number;
  tempo: number | null;
  key_name: string | null;
  camelot: string | null;
  energy: number | null;
  danceability: number | null;
  acousticness: number | null;
  vocals: number | null;
}

export interface Why {
  groups: Record<string, number>;
  alike: string[];
  differ: string[];
}

export interface Neighbour {
  rank: number;
  similarity: number;
  close: boolean | null;
  track: Track;
  why?: Why | null;
}

export interface MixEntry {
  position: number;
  similarity: number;
  close: boolean | null;
  track: Track;
}

export interface Mix {
  kind: string;
  items: MixEntry[];
  left_out: Record<string, number>;
  notes: string[];
  minutes: number;
}

export interface Artist {
  id: string;
  name: string;
  tracks: number;
  albums: number;
}

export interface Album {
  id: string;
  name: string;
  artist: string | null;
  artist_id: string | null;
  year: number | null;
  tracks: number;
  duration: number;
}

export interface SimilarGroup {
  id: string;
  name: string;
  artist?: string | null;
  similarity: number;
  close: boolean | null;
  tracks: number;
}

export interface Playlist {
  id: number;
  name: string;
  comment: string;
  shared: boolean;
  track_ids: number[];
  recipe: Record<string, unknown> | null;
  created_at: string;
  changed_at: string;
  run_at: string | null;
}

export interface Status {
  version: string;
  analysed: number;
  missing: number;
  unavailable: number;
  failures: number;
  seconds_of_music: number;
  model: string;
  adapted: boolean;
  revision: number;
  libraries: { id: number; analysed: number; missing: number; unavailable: number; root: string | null }[];
}

export interface Ingest {
  id: number;
  state: "queued" | "running" | "done" | "failed" | "interrupted";
  queued_at: string;
  ended_at: string | null;
  progress: { phase?: string; scanned?: number; planned?: number; done?: number; failed?: number };
  counts: Record<string, number> | null;
  error: string | null;
}

export interface Failure {
  file: string;
  library: number;
  kind: string;
  advice: string;
  failed_at: string;
  reason: string | null;
}

export interface DuplicateGroup {
  tracks: Track[];
  evidence: { one: number; other: number; same_sound: boolean; similarity: number }[];
}

export interface Precision {
  genre: string;
  queries: number;
  precision: number;
  low: number;
  high: number;
  chance: number;
}

export interface Evaluation {
  state: "computing" | "done" | "impossible";
  reason: string | null;
  figures: {
    k: number;
    tracks: number;
    unlabelled: number;
    queries: number;
    ranking: string;
    artist_filter: boolean;
    overall: Precision;
    genres: Precision[];
    tracks_in_no_list: number;
  } | null;
}
