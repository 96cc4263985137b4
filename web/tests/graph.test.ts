import { describe, expect, it } from "vitest";
import type { ColumnEdge, Dataset, Graph } from "../src/api/answers/graph";
import { bundles } from "../src/graph/bundle";
import { cardOf, columnY, COLUMN_LIMIT, HEAD_HEIGHT, ROW_HEIGHT, withNamedColumns } from "../src/graph/card";
import { columnEdgeKey, columnKey, merge, only } from "../src/graph/merge";
import { requestOf } from "../src/graph/request";
import { positionOf } from "../src/graph/time_bar";
import { inOrder, waysAlong, waysOf } from "../src/graph/ways";

const SINCE = "2026-11-02T04:00:00Z";

function dataset(id: string, columns: string[], more: Partial<Dataset> = {}): Dataset {
  return {
    id,
    namespace: "file",
    name: id,
    label: id,
    group: id.split(".")[0] ?? "",
    owner: null,
    description: null,
    columns: columns.map((name) => ({ name, type: "string", description: null, pii: null, masked: false, key: false, unit: null })),
    more_upstream: 0,
    more_downstream: 0,
    ...more,
  };
}

function edge(from: string, to: string, more: Partial<ColumnEdge> = {}): ColumnEdge {
  const split = (text: string) => text.split(":") as [string, string];
  const [source, source_column] = split(from);
  const [target, target_column] = split(to);
  return {
    job: `job|${target}`,
    source,
    source_column,
    target,
    target_column: target_column === "*" ? null : target_column,
    type: "DIRECT",
    subtype: "IDENTITY",
    masking: false,
    description: null,
    valid_from: SINCE,
    valid_to: null,
    ...more,
  };
}

function graph(datasets: Dataset[], pairs: [string, string][], column_edges: ColumnEdge[] = []): Graph {
  return {
    at: SINCE,
    datasets,
    jobs: [],
    edges: pairs.map(([source, target]) => ({ job: `job|${target}`, source, target, valid_from: SINCE, valid_to: null })),
    column_edges,
  };
}

describe("answers put together", () => {
  it("counts only neighbours that no answer has shown", () => {
    const around = graph(
      [dataset("silver.a", ["x"]), dataset("gold.b", ["x"], { more_upstream: 2, more_downstream: 1 })],
      [["silver.a", "gold.b"]],
    );
    const further = graph(
      [dataset("gold.b", ["x"], { more_downstream: 1 }), dataset("silver.a", ["x"]), dataset("silver.c", ["x"]), dataset("silver.d", ["x"])],
      [
        ["silver.a", "gold.b"],
        ["silver.c", "gold.b"],
        ["silver.d", "gold.b"],
      ],
    );
    const merged = merge([around, further]);
    expect([...merged.datasets.keys()].sort()).toEqual(["gold.b", "silver.a", "silver.c", "silver.d"]);
    expect(merged.datasets.get("gold.b")?.more_upstream).toBe(0);
    expect(merged.datasets.get("gold.b")?.more_downstream).toBe(1);
    expect(merged.edges).toHaveLength(3);
  });

  it("takes edges of a path in, and draws the job between their datasets", () => {
    const lone = [graph([dataset("a", ["x"])], []), graph([dataset("b", ["x"])], [])];
    const merged = merge(lone, [edge("a:x", "b:x")]);
    expect(merged.edges.map((one) => [one.source, one.target])).toEqual([["a", "b"]]);
    expect(merged.columnEdges).toHaveLength(1);
  });

  it("draws no edge to a dataset that is not there", () => {
    const merged = merge([graph([dataset("a", ["x"])], [["a", "gone"]], [edge("a:x", "gone:x")])]);
    expect(merged.edges).toEqual([]);
    expect(merged.columnEdges).toEqual([]);
  });

  it("keeps the asked part alone", () => {
    const all = merge([graph([dataset("a", []), dataset("b", []), dataset("c", [])], [["a", "b"], ["b", "c"]])]);
    const part = only(all, new Set(["a", "b"]));
    expect([...part.datasets.keys()]).toEqual(["a", "b"]);
    expect(part.edges).toHaveLength(1);
  });
});

describe("ways of a column", () => {
  const datasets = new Map([dataset("a", ["x", "y"]), dataset("b", ["x", "z"]), dataset("c", ["x", "n"])].map((one) => [one.id, one]));
  const edges = [edge("a:x", "b:x"), edge("a:y", "b:z"), edge("b:x", "c:x"), edge("b:z", "c:*", { type: "INDIRECT", subtype: "FILTER" })];

  it("go up and down and not to a neighbour's side", () => {
    const ways = waysOf({ dataset: "b", column: "x" }, edges, datasets, { indirect: true });
    expect(ways.columns).toContain(columnKey("a", "x"));
    expect(ways.columns).toContain(columnKey("c", "x"));
    expect(ways.columns).not.toContain(columnKey("a", "y"));
    expect(ways.edges).toContain(columnEdgeKey(edges[0] as ColumnEdge));
  });

  it("take every column that a filter decides, where indirect influence counts", () => {
    const start = { dataset: "a", column: "y" };
    const all = waysOf(start, edges, datasets, { indirect: true });
    expect(all.columns).toContain(columnKey("c", "n"));
    const direct = waysOf(start, edges, datasets, { indirect: false });
    expect(direct.datasets).toEqual(new Set(["a", "b"]));
  });

  it("find what decides the rows on the way up", () => {
    const ways = waysOf({ dataset: "c", column: "n" }, edges, datasets, { indirect: true });
    expect(ways.columns).toContain(columnKey("a", "y"));
  });

  it("end in a circle of datasets", () => {
    const circle = [edge("a:x", "b:x"), edge("b:x", "a:x")];
    expect(waysOf({ dataset: "a", column: "x" }, circle, datasets, { indirect: true }).edges.size).toBe(2);
  });

  it("are those of the path alone when one is given", () => {
    const ways = waysAlong([edges[0] as ColumnEdge], [{ dataset: "a", column: "x" }]);
    expect(ways.datasets).toEqual(new Set(["a", "b"]));
    expect(ways.edges.size).toBe(1);
  });
});

describe("a path", () => {
  it("is told in the order that data takes, however it was answered", () => {
    const edges = [edge("c:x", "d:x"), edge("b:x", "c:x"), edge("a:x", "b:x"), edge("a:x", "b:*", { type: "INDIRECT" })];
    const told = inOrder(edges, { dataset: "a", column: "x" }).map((one) => `${one.source}>${one.target}:${one.target_column}`);
    expect(told).toEqual(["a>b:x", "a>b:null", "b>c:x", "c>d:x"]);
  });

  it("loses no edge, not even one that does not hang together", () => {
    expect(inOrder([edge("x:x", "y:y"), edge("a:x", "b:x")], { dataset: "a", column: "x" })).toHaveLength(2);
  });
});

describe("lines between columns", () => {
  it("are masked only when no direct edge beside is in clear", () => {
    const [masked] = bundles([edge("a:x", "b:x", { masking: true }), edge("a:x", "b:x", { type: "INDIRECT", subtype: "GROUP_BY" })]);
    expect(masked).toMatchObject({ masked: true, indirect: false });
    const [clear] = bundles([edge("a:x", "b:x", { masking: true }), edge("a:x", "b:x", { subtype: "TRANSFORMATION" })]);
    expect(clear?.masked).toBe(false);
  });

  it("tell what was added and what removed", () => {
    const [one, two] = [edge("a:x", "b:x"), edge("a:y", "b:y")];
    const [first, second] = bundles([one, two], new Set([columnEdgeKey(one)]), new Set([columnEdgeKey(two)]));
    expect([first?.change, second?.change]).toEqual(["added", "removed"]);
  });
});

describe("a card", () => {
  const many = dataset("wide", Array.from({ length: 80 }, (_, index) => `c${index}`));
  const plain = { open: false, compact: false, strong: new Set<string>(), joined: new Set<string>() };

  it("shows few columns of a wide dataset, those that take part first, in their order", () => {
    const card = cardOf(many, { ...plain, strong: new Set(["c70"]), joined: new Set(["c60"]) });
    expect(card.columns.length).toBeLessThanOrEqual(COLUMN_LIMIT);
    expect(card.columns.map((one) => one.name)).toEqual(expect.arrayContaining(["c60", "c70"]));
    expect(card.columns.at(-1)?.name).toBe("c70");
    expect(card.hidden).toBe(80 - card.columns.length);
  });

  it("shows all when opened, and the chosen ones alone where only the ways count", () => {
    expect(cardOf(many, { ...plain, open: true }).hidden).toBe(0);
    const narrow = cardOf(many, { ...plain, onlyStrong: true, strong: new Set(["c70"]) });
    expect(narrow.columns.map((one) => one.name)).toEqual(["c70"]);
  });

  it("ends a line at its row, or at the foot when the row is not shown", () => {
    const card = cardOf(many, plain);
    expect(columnY(card, "c1")).toBe(HEAD_HEIGHT + 1.5 * ROW_HEIGHT);
    expect(columnY(card, "c79")).toBeGreaterThan(columnY(card, card.columns.at(-1)?.name ?? ""));
  });

  it("has the columns that only an edge names", () => {
    const files = new Map([["landing", dataset("landing", [])], ["b", dataset("b", ["x"])]]);
    const named = withNamedColumns(files, [edge("landing:email", "b:x")]);
    expect(named.get("landing")?.columns.map((one) => one.name)).toEqual(["email"]);
    expect(files.get("landing")?.columns).toEqual([]);
  });
});

describe("the address of the graph", () => {
  it("says all that is shown", () => {
    const request = requestOf(
      new URLSearchParams("id=n|a&steps=3&up=n|b&up=n|c&dataset=n|a&column=x&to_dataset=n|d&to_column=y&only=1&indirect=0&group=namespace"),
    );
    expect(request).toMatchObject({
      id: "n|a",
      steps: 3,
      up: ["n|b", "n|c"],
      chosen: { dataset: "n|a", column: "x" },
      target: { dataset: "n|d", column: "y" },
      onlyWays: true,
      indirect: false,
      grouping: "namespace",
      comparing: false,
    });
  });

  it("falls back to what is safe", () => {
    const request = requestOf(new URLSearchParams("steps=99&only=1&group=%3Cscript%3E"));
    expect(request).toMatchObject({ id: null, steps: 1, onlyWays: false, grouping: "layer", indirect: true });
  });

  it("puts the slider at the last change not after an instant", () => {
    const moments = ["2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", "2026-11-05T00:00:00Z"];
    expect(positionOf(moments, "2026-11-04T12:00:00Z")).toBe(1);
    expect(positionOf(moments, "2026-11-05T00:00:00.000Z")).toBe(2);
  });
});
