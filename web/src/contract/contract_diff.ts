// What changed between two versions of a contract, said of what a reader knows: its columns,
// checks, foreign keys and settings.

export interface ContractChange {
  what: "column" | "check" | "foreign key" | "setting";
  subject: string;
  change: "added" | "removed" | "changed";
  /** The property that changed; null when the whole came or went. */
  property: string | null;
  before: unknown;
  after: unknown;
}

type Document = Record<string, unknown>;

const LISTS = [
  ["columns", "column", "name"],
  ["checks", "check", "id"],
  ["foreign_keys", "foreign key", "id"],
] as const;

export function contractDiff(before: Document, after: Document): ContractChange[] {
  const changes: ContractChange[] = [];
  for (const [field, what, key] of LISTS) changes.push(...listDiff(what, named(before[field], key), named(after[field], key)));
  const lists = new Set<string>(LISTS.map(([field]) => field));
  for (const property of keysOf(before, after)) {
    if (lists.has(property) || property === "version" || same(before[property], after[property])) continue;
    changes.push({
      what: "setting",
      subject: property,
      change: "changed",
      property: null,
      before: before[property],
      after: after[property],
    });
  }
  return changes;
}

function listDiff(what: ContractChange["what"], before: Map<string, Document>, after: Map<string, Document>): ContractChange[] {
  const changes: ContractChange[] = [];
  for (const [subject, now] of after) {
    const then = before.get(subject);
    if (!then) {
      changes.push({ what, subject, change: "added", property: null, before: null, after: now.type ?? now.sql ?? null });
      continue;
    }
    for (const property of keysOf(then, now))
      if (!same(then[property], now[property]))
        changes.push({ what, subject, change: "changed", property, before: then[property], after: now[property] });
  }
  for (const [subject, then] of before)
    if (!after.has(subject))
      changes.push({ what, subject, change: "removed", property: null, before: then.type ?? then.sql ?? null, after: null });
  return changes;
}

function named(list: unknown, key: string): Map<string, Document> {
  const found = new Map<string, Document>();
  for (const item of Array.isArray(list) ? (list as Document[]) : [])
    if (item && typeof item === "object") found.set(String(item[key]), item);
  return found;
}

function keysOf(one: Document, other: Document): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
}

/** Equal as JSON, whatever the order of keys. A missing value equals null. */
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(ordered(one ?? null)) === JSON.stringify(ordered(other ?? null));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, ordered(inner)]));
  return value;
}
