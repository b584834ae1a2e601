import { useSignal } from "@preact/signals";
import { ApiError, signIn } from "../api";
import { Fault } from "./Pane";

/** Asks for an API key; it is kept until the tab is closed. */
export function SignIn({ onIn }: { onIn: () => void }) {
  const error = useSignal<string | null>(null);
  const isBusy = useSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get("secret");
    if (typeof given !== "string" || !given.trim()) return;
    isBusy.value = true;
    error.value = null;
    try {
      await signIn(given.trim());
      onIn();
    } catch (fault) {
      error.value = fault instanceof ApiError ? fault.message : "The server cannot be reached.";
    }
    isBusy.value = false;
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <p class="wordmark">recsys</p>
        <h1 class="display">Who is<br />listening?</h1>
        <label class="field">
          <span>API key or token</span>
          <input name="secret" type="password" autocomplete="current-password" required autoFocus />
        </label>
        {error.value && <Fault text={error.value} />}
        <div class="buttons"><button class="button is-main" disabled={isBusy.value}>Open the library</button></div>
        <p class="quiet">The key was shown when your user was added. It is kept in this tab until you close it, and sent to this server only.</p>
      </form>
    </main>
  );
}
