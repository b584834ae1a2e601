// The page's only way to the server: relative addresses, the secret in a header, errors as text.
import { signal } from "@preact/signals";

/** Whether the last request reached no server. */
export const isLost = signal(false);
/** Whether the server wants a secret that the page has not. */
export const needsSecret = signal(false);

const SECRET = "recsys.secret";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function address(path: string): string {
  return new URL(path, document.baseURI).href;
}

export function secret(): string | null {
  return sessionStorage.getItem(SECRET);
}

/** Try a secret; keeps it for this tab where the server knows it. */
export async function signIn(given: string): Promise<void> {
  sessionStorage.setItem(SECRET, given);
  try {
    await openMedia();
    needsSecret.value = false;
  } catch (error) {
    sessionStorage.removeItem(SECRET);
    throw error;
  }
}

export function signOut(): void {
  sessionStorage.removeItem(SECRET);
  location.reload();
}

/** Lets <audio> and <img>, which send no header, load what they show. */
export async function openMedia(): Promise<void> {
  await ask("POST", "media-session");
}

export async function ask(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = {};
  const own = secret();
  if (own) headers.Authorization = `Bearer ${own}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(address(`api/v1/${path}`), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      credentials: "same-origin",
      cache: "no-cache",
    });
  } catch (error) {
    if (!signal?.aborted) noteLoss();
    throw error;
  }
  if (answer.ok) return answer;
  if (answer.status === 401) needsSecret.value = true;
  const text = await answer.text();
  throw new ApiError(answer.status, detailOf(text) ?? `The server answered ${answer.status}.`);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask("GET", path, undefined, signal)).json();
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await ask("POST", path, body, signal)).json();
}

function detailOf(text: string): string | undefined {
  try {
    const found = JSON.parse(text);
    return typeof found.detail === "string" ? found.detail : undefined;
  } catch {
    return undefined;
  }
}

/** The events of a stream that the server sends (text/event-stream), until it ends. */
export async function* events<T>(path: string, signal: AbortSignal): AsyncGenerator<[string, T]> {
  const answer = await ask("GET", path, undefined, signal);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value.replaceAll("\r\n", "\n");
    const blocks = rest.split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split("\n")
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).trim())
          .join("\n");
      const data = field("data");
      if (data) yield [field("event") || "message", JSON.parse(data) as T];
    }
  }
}

const returned: (() => void)[] = [];

/** Called whenever the server is reached again. */
export function onReturn(again: () => void): void {
  returned.push(again);
}

let timer: ReturnType<typeof setTimeout> | undefined;

export function noteLoss(): void {
  isLost.value = true;
  if (timer === undefined) timer = setTimeout(look, 1500);
}

async function look(): Promise<void> {
  timer = undefined;
  try {
    await fetch(address("healthz"), { cache: "no-store" });
  } catch {
    timer = setTimeout(look, 2000);
    return;
  }
  isLost.value = false;
  if (secret()) await openMedia().catch(() => undefined);
  for (const again of returned) again();
}

addEventListener("offline", noteLoss);
