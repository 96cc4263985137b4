import { BaseEdge, getBezierPath, type Edge, type EdgeProps } from "@xyflow/react";
import { memo } from "react";
import { how } from "../parts/mark";
import type { Bundle, Change } from "./bundle";

export type JobLineType = Edge<{ job: string; kind: string | null; faded: boolean; change: Change }, "job">;
export type ColumnLineType = Edge<{ bundle: Bundle; strong: boolean; faded: boolean; marked: boolean }, "column">;

const NAME_LENGTH = 19;
const LETTER = 6;

/** A job: the broad line between two datasets, with its name. */
export const JobLine = memo(function JobLine(props: EdgeProps<JobLineType>) {
  const [path, x, y] = getBezierPath(props);
  const data = props.data;
  if (!data) return null;
  const name = data.job.length > NAME_LENGTH ? `${data.job.slice(0, NAME_LENGTH - 1)}…` : data.job;
  const width = name.length * LETTER + 16;
  return (
    <g className={kinds("line line-job", data.faded, data.change)}>
      <BaseEdge path={path} interactionWidth={14} {...(props.markerEnd ? { markerEnd: props.markerEnd } : {})} />
      <g className="line-label" transform={`translate(${x} ${y})`}>
        <title>{data.kind ? `${data.job} (${data.kind})` : data.job}</title>
        <rect x={-width / 2} y={-9} width={width} height={18} rx={9} />
        <text textAnchor="middle" dominantBaseline="central">
          {name}
        </text>
      </g>
    </g>
  );
});

/** All edges between two columns: dashed where it only decides, with a mark where it masks. */
export const ColumnLine = memo(function ColumnLine(props: EdgeProps<ColumnLineType>) {
  const [path] = getBezierPath({ ...props, curvature: 0.35 });
  const data = props.data;
  if (!data) return null;
  const { bundle } = data;
  const kind = kinds(
    `line line-column${bundle.indirect ? " line-indirect" : ""}${bundle.masked ? " line-masked" : ""}${data.strong ? " line-strong" : ""}`,
    data.faded,
    bundle.change,
  );
  return (
    <g className={kind}>
      <title>
        {`${bundle.sourceColumn} → ${bundle.targetColumn ?? "the choice of rows"}: ${bundle.edges
          .map((edge) => how(edge.type, edge.subtype) + (edge.masking ? ", masked" : ""))
          .join("; ")}`}
      </title>
      <BaseEdge path={path} interactionWidth={10} />
      {bundle.masked && data.marked && !data.faded && (
        <MaskBadge x={props.targetX - 38} y={props.targetY} />
      )}
      {bundle.change && (
        <text className="change-mark" x={props.sourceX + 12} y={props.sourceY - 4}>
          {bundle.change === "added" ? "+" : "−"}
        </text>
      )}
    </g>
  );
});

/** The mark of masking on a line. */
export function MaskBadge({ x, y }: { x: number; y: number }) {
  return (
    <g className="mask-mark" transform={`translate(${x} ${y})`}>
      <rect className="mask-ground" x={-33} y={-8.5} width={66} height={17} rx={3} />
      <rect className="mask-lock" x={-27} y={-1.5} width={8} height={6} rx={1} />
      <path d="M-25.4 -1.5v-1.4a2.4 2.4 0 0 1 4.8 0v1.4" />
      <text x={6} textAnchor="middle" dominantBaseline="central">
        masked
      </text>
    </g>
  );
}

function kinds(base: string, faded: boolean, change: Change): string {
  return [base, faded && "faded", change && `line-${change}`].filter(Boolean).join(" ");
}
