import { useMemo } from "react";
import type { ColumnEdge, Dataset } from "../api/answers/graph";
import { count } from "../format";
import { DatasetLink, graphHref } from "../parts/link";
import { how, MaskMark } from "../parts/mark";
import { Section } from "../parts/section";
import { Table, type TableColumn } from "../parts/table";
import { Link } from "../router";
import type { Bundle, Change } from "./bundle";
import { jobName, type Merged } from "./merge";

interface ListProps {
  graph: Merged;
  bundles: readonly Bundle[];
  datasetChange: (id: string) => Change;
  comparing: boolean;
}

interface Step {
  edge: ColumnEdge;
  change: Change;
}

/** The graph once more as tables, for reading with the keyboard, a screen reader or on paper. */
export function GraphList({ graph, bundles, datasetChange, comparing }: ListProps) {
  const near = useMemo(() => {
    const up = new Map<string, Set<string>>();
    const down = new Map<string, Set<string>>();
    const put = (map: Map<string, Set<string>>, key: string, value: string) => map.set(key, (map.get(key) ?? new Set()).add(value));
    for (const edge of graph.edges) {
      if (edge.source === edge.target) continue;
      put(up, edge.target, edge.source);
      put(down, edge.source, edge.target);
    }
    return { up, down };
  }, [graph.edges]);
  const steps = useMemo(
    () =>
      bundles
        .flatMap((bundle): Step[] => bundle.edges.map((edge) => ({ edge, change: bundle.change })))
        .sort((a, b) => Number(b.change !== null) - Number(a.change !== null)),
    [bundles],
  );
  const label = (id: string) => graph.datasets.get(id)?.label ?? id;
  const linked = (ids: Iterable<string> | undefined, more: number) => {
    const list = [...(ids ?? [])];
    return (
      <>
        {list.slice(0, 12).map((id, index) => (
          <span key={id}>
            {index > 0 && ", "}
            <DatasetLink id={id} label={label(id)} />
          </span>
        ))}
        {list.length > 12 && <span className="muted"> and {list.length - 12} more</span>}
        {more > 0 && (
          <span className="muted">
            {list.length > 0 && ", "}
            {count(more)} not shown
          </span>
        )}
        {list.length === 0 && more === 0 && <span className="muted">none</span>}
      </>
    );
  };
  const change = (value: Change) => value && <span className={`change change-${value}`}>{value === "added" ? "+ added" : "− removed"}</span>;

  const datasetColumns: TableColumn<Dataset>[] = [
    { title: "Dataset", cell: (one) => <DatasetLink id={one.id} label={one.label} /> },
    ...(comparing ? [{ title: "Change", cell: (one: Dataset) => change(datasetChange(one.id)) }] : []),
    { title: "Layer", cell: (one) => one.group },
    { title: "Columns", numeric: true, cell: (one) => count(one.columns.length) },
    { title: "Made of", wide: true, cell: (one) => linked(near.up.get(one.id), one.more_upstream) },
    { title: "Read by", wide: true, cell: (one) => linked(near.down.get(one.id), one.more_downstream) },
    {
      title: "Graph",
      cell: (one) => (
        <Link href={graphHref(one.id)} aria-label={`Graph of ${one.label}`}>
          Graph
        </Link>
      ),
    },
  ];
  const stepColumns: TableColumn<Step>[] = [
    { title: "From", cell: ({ edge }) => <DatasetLink id={edge.source} label={label(edge.source)} column={edge.source_column} /> },
    {
      title: "To",
      cell: ({ edge }) =>
        edge.target_column === null ? (
          <>
            <DatasetLink id={edge.target} label={label(edge.target)} /> <span className="muted">which rows</span>
          </>
        ) : (
          <DatasetLink id={edge.target} label={label(edge.target)} column={edge.target_column} />
        ),
    },
    ...(comparing ? [{ title: "Change", cell: (one: Step) => change(one.change) }] : []),
    { title: "How", cell: ({ edge }) => how(edge.type, edge.subtype) },
    { title: "Masking", cell: ({ edge }) => (edge.masking ? <MaskMark how={edge.description} /> : <span className="muted">no</span>) },
    { title: "Job", cell: ({ edge }) => jobName(graph, edge.job) },
  ];

  return (
    <Section id="as-table" title="The graph as tables" note="The same datasets and steps as on the canvas above, in words.">
      <h3>Datasets</h3>
      <Table caption="Datasets of the graph" columns={datasetColumns} rows={[...graph.datasets.values()]} rowKey={(one) => one.id} shown={50} />
      {steps.length > 0 && (
        <>
          <h3>Columns, step by step</h3>
          <Table caption="Column lineage of the graph" columns={stepColumns} rows={steps} rowKey={(_, index) => String(index)} shown={50} />
        </>
      )}
    </Section>
  );
}
