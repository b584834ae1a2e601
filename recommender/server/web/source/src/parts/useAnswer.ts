// What a view shows of the server's answer to one question.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, isLost } from "../api";

export interface Answered<T> {
  value: T | null;
  error: string | null;
  isAsking: boolean;
}

/** Asks whenever `key` changes, and again once a lost server is back; the last question counts. */
export function useAnswer<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Answered<T> {
  const answer = useSignal<Answered<T> & { key: string }>({ key: "", value: null, error: null, isAsking: true });
  const wasLost = isLost.value;
  useEffect(() => {
    if (wasLost && answer.peek().value !== null) return;
    const ending = new AbortController();
    const before = answer.peek();
    answer.value = { key, value: before.key.split("\n")[0] === key.split("\n")[0] ? before.value : null, error: null, isAsking: true };
    ask(ending.signal).then(
      (value) => {
        if (!ending.signal.aborted) answer.value = { key, value, error: null, isAsking: false };
      },
      (error: unknown) => {
        if (ending.signal.aborted) return;
        const text = error instanceof ApiError ? error.message : "The server cannot be reached.";
        answer.value = { key, value: null, error: text, isAsking: false };
      },
    );
    return () => ending.abort();
  }, [key, wasLost]);
  return answer.value;
}
