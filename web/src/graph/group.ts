import type { Dataset } from "../api/answers/graph";

export type Grouping = "layer" | "namespace" | "none";

export function groupOf(dataset: Dataset, grouping: Grouping): string {
  return grouping === "namespace" ? dataset.namespace : dataset.group;
}

const ORDER = ["landing", "bronze", "silver", "gold", "features", "shared"];

/** Datasets by layer, the usual layers first and in the order data takes. */
export function byGroup(datasets: readonly Dataset[]): Map<string, Dataset[]> {
  const found = new Map<string, Dataset[]>();
  for (const dataset of datasets) {
    const list = found.get(dataset.group);
    if (list) list.push(dataset);
    else found.set(dataset.group, [dataset]);
  }
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return new Map([...found].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b)));
}

const OTHERS = 6;

/** A colour for a group: the same one on every page. The group's name always stands beside it. */
export function groupColour(group: string): string {
  const known = ORDER.indexOf(group.toLowerCase());
  if (known >= 0) return `var(--group-${ORDER[known]})`;
  let hash = 0;
  for (const letter of group) hash = (hash * 31 + letter.charCodeAt(0)) % 9973;
  return `var(--group-${(hash % OTHERS) + 1})`;
}
