// Precision by genre as a picture: a mark for the value, a line for its interval, a tick for chance.
import type { Evaluation, Precision } from "../types";
import { counted, percent } from "../text";

const ROW = 24;

export function Figure({ figures }: { figures: NonNullable<Evaluation["figures"]> }) {
  const rows = [figures.overall, ...[...figures.genres].sort((a, b) => b.precision - a.precision).slice(0, 24)];
  const [left, wide] = innerWidth < 700 ? [98, 214] : [132, 420];
  const x = (share: number) => left + share * wide;
  const height = rows.length * ROW + 44;
  const { overall } = figures;
  return (
    <figure class="figure-box">
      <figcaption>
        Of ten recommended tracks, <b>{(overall.precision * figures.k).toFixed(1)}</b> have the genre tag of the track they
        are recommended for ({percent(overall.precision)}, 95 % interval {percent(overall.low)} to {percent(overall.high)});
        a random order would give {percent(overall.chance)}.
      </figcaption>
      <svg viewBox={`0 0 ${left + wide + 28} ${height}`} role="img" aria-label="Precision by genre, with intervals; the table below has the figures">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share}>
            <line class="grid" x1={x(share)} x2={x(share)} y1="8" y2={height - 26} />
            <text class="axis" x={x(share)} y={height - 10} text-anchor="middle">{percent(share)}</text>
          </g>
        ))}
        {rows.map((row, at) => <Row key={row.genre} row={row} at={at} x={x} left={left} />)}
      </svg>
      <p class="quiet legend">
        <svg viewBox="0 0 44 12" aria-hidden="true"><line class="interval" x1="2" x2="42" y1="6" y2="6" /><circle class="value" cx="22" cy="6" r="4" /></svg>
        value and 95 % interval
        <svg viewBox="0 0 12 12" aria-hidden="true"><line class="chance" x1="6" x2="6" y1="1" y2="11" /></svg>
        chance
      </p>
      <p class="quiet">
        {counted(figures.queries, "list")} of {figures.k} judged by genre tags
        {figures.artist_filter ? ", without tracks by the same artist" : ""}. {percent(figures.tracks_in_no_list)} of the tracks are in no list.
        {figures.unlabelled ? ` ${counted(figures.unlabelled, "track")} without a genre tag left out.` : ""}
      </p>
      <details>
        <summary>The figures as a table</summary>
        <table>
          <thead><tr><th>Genre</th><th>Lists</th><th>Precision</th><th>95 % interval</th><th>Chance</th></tr></thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.genre}>
                <td><bdi>{nameOf(row)}</bdi></td><td>{row.queries}</td><td>{percent(row.precision)}</td>
                <td>{percent(row.low)} – {percent(row.high)}</td><td>{percent(row.chance)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

function nameOf(row: Precision): string {
  return /^all/.test(row.genre) ? "all genres" : row.genre;
}

interface RowProps {
  row: Precision;
  at: number;
  x: (share: number) => number;
  left: number;
}

function Row({ row, at, x, left }: RowProps) {
  const y = at * ROW + 20;
  const name = nameOf(row);
  return (
    <g class={at === 0 ? "is-all" : ""}>
      <text x={left - 12} y={y + 4} text-anchor="end">{name.length > left / 8 ? `${name.slice(0, left / 8 - 1)}…` : name}</text>
      <line class="interval" x1={x(row.low)} x2={x(row.high)} y1={y} y2={y} />
      <line class="chance" x1={x(row.chance)} x2={x(row.chance)} y1={y - 7} y2={y + 7} />
      <circle class="value" cx={x(row.precision)} cy={y} r={at === 0 ? 5.5 : 4} />
    </g>
  );
}
