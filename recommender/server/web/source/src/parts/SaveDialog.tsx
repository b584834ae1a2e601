// Asks for the name of a playlist, and stores it.
import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { post } from "../api";
import { complain, go, say } from "../store";
import { counted } from "../text";
import type { Playlist } from "../types";

const asked = signal<{ ids: number[]; name: string } | null>(null);

export function saveAsPlaylist(ids: number[], name: string): void {
  asked.value = { ids: ids.slice(0, 10_000), name };
}

export function SaveDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isBusy = useSignal(false);
  const wanted = asked.value;
  useEffect(() => {
    if (wanted) dialog.current?.showModal();
    else dialog.current?.close();
  }, [wanted]);
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget as HTMLFormElement).get("name");
    if (!wanted || typeof name !== "string" || !name.trim()) return;
    isBusy.value = true;
    try {
      const saved = await post<{ playlist: Playlist }>("playlists", { name: name.trim(), track_ids: wanted.ids });
      say(`Saved as “${saved.playlist.name.slice(0, 60)}”.`);
      asked.value = null;
      go("playlist", saved.playlist.id);
    } catch (error) {
      complain(error);
    }
    isBusy.value = false;
  };
  return (
    <dialog ref={dialog} class="dialog" aria-label="Save as a playlist" onClose={() => (asked.value = null)}>
      {wanted && (
        <form onSubmit={save}>
          <h2>Save as a playlist</h2>
          <label class="field">
            <span>Name</span>
            <input name="name" value={wanted.name.slice(0, 200)} maxLength={500} required autoFocus dir="auto" />
          </label>
          <p class="quiet">{counted(wanted.ids.length, "track")}. A playlist of yours of the same name is replaced.</p>
          <div class="buttons">
            <button class="button is-main" disabled={isBusy.value}>Save</button>
            <button type="button" class="button" onClick={() => (asked.value = null)}>Cancel</button>
          </div>
        </form>
      )}
    </dialog>
  );
}
