// How figures and times are written. Times are shown in UTC, as they are recorded.

export const NOTHING = "–";

export function time(iso: string | null | undefined, { seconds = false } = {}): string {
  if (!iso) return NOTHING;
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return iso;
  return `${moment.toISOString().slice(0, seconds ? 19 : 16).replace("T", " ")} UTC`;
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? NOTHING : value.toLocaleString("en-GB");
}

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** The name in the id of a job or dataset, which is "<namespace>|<name>". */
export function nameOf(id: string): string {
  return id.slice(id.indexOf("|") + 1);
}

/** A label for a narrow place: of a path, its end says most. */
export function cutLabel(label: string, most = 26): string {
  if (label.length <= most || !label.includes("/")) return label;
  const parts = label.split("/");
  let end = parts.pop() ?? "";
  while (parts.length > 0 && `${parts.at(-1)}/${end}`.length < most) end = `${parts.pop()}/${end}`;
  return end.startsWith("/") ? end : `…/${end}`;
}

/** A run's id cut to what tells runs apart. */
export function short(id: string): string {
  return id.length > 13 ? `${id.slice(0, 8)}…` : id;
}

export function words(text: string): string {
  return text.toLowerCase().replaceAll("_", " ");
}

/** A source link when it is one that may be followed: http and https only. */
export function sourceLink(url: string | null | undefined): string | null {
  if (!url) return null;
  try {
    const parsed = new URL(url);
    return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed.href : null;
  } catch {
    return null;
  }
}
