import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask, events, get, post, secret, signOut } from "../api";
import { loadMap } from "../map/state";
import { Icon } from "../parts/icons";
import { Fault, Pane, Section, Waiting } from "../parts/Pane";
import { TrackRow } from "../parts/TrackRow";
import { useAnswer } from "../parts/useAnswer";
import { playAll } from "../player";
import { complain, loadStatus, status } from "../store";
import { counted, number, percent, span, when } from "../text";
import type { DuplicateGroup, Evaluation, Failure, Ingest } from "../types";
import { Figure } from "./Figure";

export function Library() {
  const now = status.value;
  useEffect(() => void loadStatus(), []);
  return (
    <Pane title="Library" over="Library" isWide>
      <h1 class="heading">{now ? counted(now.analysed, "track") : "Library"}</h1>
      {now && (
        <p class="quiet">
          {span(now.seconds_of_music)} of music in {counted(now.libraries.length, "folder")}
          {now.missing + now.unavailable > 0 && `, ${number(now.missing + now.unavailable)} of it not there at present`}. Model
          {" "}{now.model}{now.adapted ? ", adapted to this library" : ""}; recsys {now.version}.
        </p>
      )}
      <Ingests />
      <Failures />
      <Evaluated />
      <Duplicates />
      {secret() && (
        <Section title="Access">
          <button class="button" onClick={signOut}>Forget the key in this browser</button>
        </Section>
      )}
    </Pane>
  );
}

const job = signal<Ingest | null>(null);
let following: AbortController | null = null;

async function follow(id: number): Promise<void> {
  if (following) return;
  following = new AbortController();
  try {
    for (let tries = 0; tries < 5; tries++) {
      for await (const [, ingest] of events<Ingest>(`ingests/${id}/events`, following.signal)) {
        job.value = ingest;
        tries = 0;
      }
      if (!job.value || !["queued", "running"].includes(job.value.state)) break;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  } catch (error) {
    complain(error);
  } finally {
    following = null;
  }
  await loadStatus();
  await loadMap();
}

function Ingests() {
  const latest = useAnswer("ingests", (signal) => get<{ items: Ingest[] }>("ingests", signal));
  useEffect(() => {
    const running = latest.value?.items.find((one) => one.state === "queued" || one.state === "running");
    if (latest.value?.items[0]) job.value = running ?? latest.value.items[0];
    if (running) void follow(running.id);
  }, [latest.value]);
  const start = async () => {
    try {
      const { ingest } = await post<{ ingest: Ingest }>("ingests", {});
      job.value = ingest;
      void follow(ingest.id);
    } catch (error) {
      complain(error);
    }
  };
  const end = async () => {
    try {
      if (job.value) await ask("DELETE", `ingests/${job.value.id}`);
    } catch (error) {
      complain(error);
    }
  };
  const one = job.value;
  const isOn = one !== null && (one.state === "queued" || one.state === "running");
  return (
    <Section title="Ingest">
      <p>Reads the folders again: new and changed files are analysed, moved ones recognised.</p>
      <div class="buttons">
        <button class="button is-main" data-action="ingest" disabled={isOn || !status.value?.libraries.length} onClick={() => void start()}>
          <Icon name="again" /> Read the folders
        </button>
        {isOn && <button class="button" onClick={() => void end()}>Stop</button>}
      </div>
      {one && <Progress ingest={one} />}
    </Section>
  );
}

const PHASES: Record<string, string> = { scanning: "Looking through the folders", analysing: "Analysing", indexing: "Making the index" };

function Progress({ ingest }: { ingest: Ingest }) {
  const { phase, scanned = 0, planned = 0, done = 0, failed = 0 } = ingest.progress;
  if (ingest.state === "queued") return <p role="status">It waits for its turn.</p>;
  if (ingest.state === "running") {
    return (
      <div class="progress" role="status">
        <span>{PHASES[phase ?? ""] ?? "Starting"}{phase === "scanning" && scanned ? `: ${counted(scanned, "entry", "entries")}` : ""}</span>
        {planned > 0 && (
          <>
            <progress max={planned} value={done} aria-label="Analysed files" />
            <span class="figure">{number(done)} of {number(planned)}{failed ? `, ${number(failed)} failed` : ""}</span>
          </>
        )}
      </div>
    );
  }
  const counts = Object.entries(ingest.counts ?? {}).filter(([, count]) => count > 0 && Number.isInteger(count));
  return (
    <div role="status">
      <p>
        {ingest.state === "done" ? "Ended" : ingest.state === "failed" ? "Failed" : "Stopped"}
        {ingest.ended_at ? ` ${when(ingest.ended_at)}` : ""}
        {counts.length ? `: ${counts.map(([name, count]) => `${number(count)} ${name.replaceAll("_", " ")}`).join(", ")}.` : "."}
      </p>
      {ingest.error && <Fault text={ingest.error} />}
    </div>
  );
}

function Failures() {
  const answer = useAnswer(`failures\n${status.value?.revision ?? 0}`, (signal) =>
    get<{ items: Failure[]; total: number }>("failures?limit=200", signal),
  );
  const items = answer.value?.items ?? [];
  return (
    <Section title={answer.value?.total ? `Not analysed: ${counted(answer.value.total, "file")}` : "Not analysed"}>
      {answer.error && <Fault text={answer.error} />}
      {answer.value && !items.length && <p class="quiet">Every file could be analysed.</p>}
      <ul class="faults">
        {items.map((one, at) => (
          <li key={at}>
            <bdi class="faults-file">{one.file}</bdi>
            <span class="tag">{one.kind.replaceAll("-", " ")}</span>
            <span class="quiet">{one.reason ? <bdi>{one.reason} </bdi> : ""}{one.advice}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Duplicates() {
  const isWanted = useSignal(false);
  const answer = useAnswer(`duplicates\n${isWanted.value}`, (signal) =>
    isWanted.value
      ? get<{ items: DuplicateGroup[]; total: number }>("duplicates?limit=100", signal)
      : Promise.resolve(null),
  );
  const groups = answer.value?.items ?? [];
  return (
    <Section title={answer.value?.total ? `Copies: ${counted(answer.value.total, "recording")}` : "Copies of one recording"}>
      {!isWanted.value && <button class="button" onClick={() => (isWanted.value = true)}><Icon name="search" /> Look for copies</button>}
      {isWanted.value && answer.isAsking && <Waiting what="Comparing" />}
      {answer.error && <Fault text={answer.error} />}
      {answer.value && !groups.length && <p class="quiet">No recording is there twice.</p>}
      {groups.map((group) => (
        <div key={group.tracks[0].id} class="copies">
          <p class="quiet">{group.evidence.every((one) => one.same_sound) ? "The same sound, sample by sample" : `Alike to ${percent(Math.min(...group.evidence.map((one) => one.similarity)))}, of equal length`}</p>
          <ul class="rows">
            {group.tracks.map((track, at) => <TrackRow key={track.id} track={track} onPlay={() => playAll(group.tracks, at)} />)}
          </ul>
        </div>
      ))}
    </Section>
  );
}

function Evaluated() {
  const again = useSignal(0);
  const answer = useAnswer(`evaluation\n${again.value}`, (signal) => get<Evaluation>("evaluation", signal));
  useEffect(() => {
    if (answer.value?.state !== "computing") return;
    const timer = setTimeout(() => again.value++, 2500);
    return () => clearTimeout(timer);
  }, [answer.value]);
  const found = answer.value;
  return (
    <Section title="How good the recommendations are here">
      {answer.error && <Fault text={answer.error} />}
      {found?.state === "computing" && <Waiting what="Judging the lists of this library" />}
      {found?.state === "impossible" && <p class="quiet">{found.reason}</p>}
      {found?.figures && <Figure figures={found.figures} />}
    </Section>
  );
}
