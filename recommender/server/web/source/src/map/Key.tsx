// What the colours mean, and a choice of others.
import { useSignal } from "@preact/signals";
import { isDark } from "../store";
import { number } from "../text";
import { css, groupColour, scaleColour } from "./colours";
import type { MapData } from "./data";
import { yearRange } from "./MapPane";
import * as state from "./state";

const NAMES: Record<state.ColourBy, string> = { genre: "Genre", cluster: "Cluster", year: "Year", energy: "Energy" };

export function Key({ map }: { map: MapData }) {
  const chosen = useSignal<boolean | null>(null);
  const isOpen = chosen.value ?? !state.isNarrow.value;
  const has = (by: state.ColourBy) =>
    by === "genre" || (by === "year" ? yearRange(map)[1] > 0 : map.columns[by] !== undefined);
  const choices = (Object.keys(NAMES) as state.ColourBy[]).filter(has);
  if (!choices.includes(state.colourBy.value)) state.colourBy.value = "genre";
  const by = state.colourBy.value;
  return (
    <div class="key">
      <div class="key-head">
        <label class="key-by">
          <span>Colour by</span>
          <select
            value={by}
            onChange={(event) => {
              state.only.value = null;
              state.colourBy.value = event.currentTarget.value as state.ColourBy;
            }}
          >
            {choices.map((one) => <option key={one} value={one}>{NAMES[one].toLowerCase()}</option>)}
          </select>
        </label>
        <button class="plain" aria-expanded={isOpen} onClick={() => (chosen.value = !isOpen)}>
          {isOpen ? "Hide" : "Key"}
        </button>
      </div>
      {isOpen && (by === "genre" || by === "cluster" ? <Groups map={map} by={by} /> : <Scale map={map} by={by} />)}
      {isOpen && (
        <p class="key-note">
          {map.head.shown < map.head.total
            ? `${number(map.head.shown)} of ${number(map.head.total)} tracks, drawn at random`
            : `${number(map.head.total)} tracks`}
          , placed by {map.head.method}
          {map.head.note && <>. <bdi>{map.head.note}</bdi></>}
        </p>
      )}
    </div>
  );
}

function Groups({ map, by }: { map: MapData; by: "genre" | "cluster" }) {
  const names = by === "genre" ? map.head.genres : (map.head.clusters ?? []);
  const column = map.columns[by];
  const counts = new Array<number>(names.length).fill(0);
  for (const one of column) if (one < names.length) counts[one]++;
  const scale = map.head.total / Math.max(map.head.shown, 1);
  return (
    <ul class="key-list">
      {names.slice(0, 24).map((name, group) => (
        <li key={name}>
          <button
            class="plain key-entry"
            aria-pressed={state.only.value === group}
            onClick={() => (state.only.value = state.only.value === group ? null : group)}
          >
            <Dot colour={css(groupColour(by === "genre" ? name : `cluster ${group}`, group, isDark.value))} />
            <bdi class="key-name">{name}</bdi>
            <span class="figure">{number(Math.round(counts[group] * scale))}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Scale({ map, by }: { map: MapData; by: state.ColourBy }) {
  const steps = Array.from({ length: 12 }, (_, at) => css(scaleColour(at / 11, isDark.value)));
  const [first, last] = by === "year" ? yearRange(map) : ["calm", "driving"];
  return (
    <div class="key-scale">
      <svg viewBox="0 0 120 8" preserveAspectRatio="none" aria-hidden="true">
        {steps.map((fill, at) => <rect key={at} x={at * 10} width="10.2" height="8" fill={fill} />)}
      </svg>
      <span>{first}</span>
      <span>{last}</span>
    </div>
  );
}

export function Dot({ colour }: { colour: string }) {
  return (
    <svg class="dot" viewBox="0 0 10 10" aria-hidden="true">
      <circle cx="5" cy="5" r="4.5" fill={colour} />
    </svg>
  );
}
