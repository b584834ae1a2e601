// How numbers and times are written.

export function clock(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–:––";
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}

export function span(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return counted(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${counted(hours, "hour")} ${minutes % 60 ? counted(minutes % 60, "minute") : ""}`.trim();
  return counted(Math.round(hours / 24), "day");
}

export function number(value: number): string {
  return value.toLocaleString("en-GB");
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function when(time: string): string {
  const date = new Date(time);
  const days = Math.floor((Date.now() - date.getTime()) / 86_400_000);
  const hour = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === new Date().toDateString()) return `today, ${hour}`;
  if (days < 7) return `${date.toLocaleDateString("en-GB", { weekday: "long" })}, ${hour}`;
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}
