// The parts that panes are made of.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

export function Pane({ title, over, children, isWide = false }: { title: string; over?: ComponentChildren; children: ComponentChildren; isWide?: boolean }) {
  useEffect(() => {
    document.title = title ? `${title.slice(0, 80)} · recsys` : "recsys";
  }, [title]);
  return (
    <div class={`pane ${isWide ? "is-wide" : ""}`}>
      {over && <p class="over">{over}</p>}
      {children}
    </div>
  );
}

export function Section({ title, aside, children }: { title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="section">
      <div class="section-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

export function Waiting({ what = "Looking" }: { what?: string }) {
  return <p class="quiet waiting" role="status">{what} …</p>;
}

export function Fault({ text }: { text: string }) {
  return <p class="fault" role="alert">{text}</p>;
}
