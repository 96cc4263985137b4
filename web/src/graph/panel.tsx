import type { ColumnEdge, DatasetEdge, Impact, ReachedColumn } from "../api/answers/graph";
import { cutLabel, plural, time } from "../format";
import { DatasetLink, Name } from "../parts/link";
import { how, MaskMark, PiiMark } from "../parts/mark";
import type { Bundle } from "./bundle";
import { jobName, type Merged } from "./merge";
import type { Request } from "./request";
import type { ColumnRef } from "./ways";

interface PanelProps {
  request: Request;
  graph: Merged;
  upstream: Impact | null;
  downstream: Impact | null;
  path: ColumnEdge[] | null;
  choose: (column: ColumnRef | null) => void;
  setTarget: (column: ColumnRef | null) => void;
  setOnly: (only: boolean) => void;
}

/** What is known of the chosen column: its ways up and down, also beyond what the canvas shows. */
export function ColumnPanel({ request, graph, upstream, downstream, path, choose, setTarget, setOnly }: PanelProps) {
  const { chosen, target, onlyWays } = request;
  if (!chosen) return null;
  const dataset = graph.datasets.get(chosen.dataset);
  const column = dataset?.columns.find((one) => one.name === chosen.column);
  const label = dataset?.label ?? chosen.dataset;
  const reachable = [...(upstream?.columns ?? []), ...(downstream?.columns ?? [])];
  const written = (one: { dataset: string; column: string }) => JSON.stringify([one.dataset, one.column]);
  const option = (one: ReachedColumn) => (
    <option key={written(one)} value={written(one)}>
      {one.label}.{one.column}
    </option>
  );
  return (
    <aside className="panel" aria-label="Chosen column">
      <div className="panel-head">
        <h2>
          <DatasetLink id={chosen.dataset} label={label} column={chosen.column} />
        </h2>
        <button type="button" className="quiet" aria-label="Choose no column" onClick={() => choose(null)}>
          ✕
        </button>
      </div>
      {column && (
        <p className="panel-about">
          {column.type && <code>{column.type}</code>} <PiiMark pii={column.pii} masked={column.masked} />
          {column.description && <span> {column.description}</span>}
        </p>
      )}
      <label className="check">
        <input type="checkbox" checked={onlyWays} onChange={(event) => setOnly(event.target.checked)} /> Only{" "}
        {target ? "this path" : "its ways"}
      </label>
      <label className="field">
        Path to another column
        <select
          value={target ? written(target) : ""}
          onChange={(event) => {
            if (event.target.value === "") return setTarget(null);
            const [id, name] = JSON.parse(event.target.value) as [string, string];
            setTarget({ dataset: id, column: name });
          }}
        >
          <option value="">{reachable.length ? "All ways, no single path" : "No column is reached"}</option>
          {target && !reachable.some((one) => written(one) === written(target)) && (
            <option value={written(target)}>
              {graph.datasets.get(target.dataset)?.label ?? target.dataset}.{target.column}
            </option>
          )}
          <optgroup label="Where it comes from">{upstream?.columns.map(option)}</optgroup>
          <optgroup label="Where it goes">{downstream?.columns.map(option)}</optgroup>
        </select>
      </label>
      {target && path && (
        <div className="reached">
          <h3>Path: {plural(path.length, "step")}</h3>
          {path.length === 0 ? (
            <p className="muted">No way leads from one to the other{request.indirect ? "" : " directly; indirect influence is switched off"}.</p>
          ) : (
            <ol className="path-steps">
              {path.map((edge, index) => (
                <li key={index}>
                  <span className="name">
                    {graph.datasets.get(edge.source)?.label ?? edge.source}.{edge.source_column}
                  </span>{" "}
                  → <span className="name">{graph.datasets.get(edge.target)?.label ?? edge.target}.{edge.target_column ?? "rows"}</span>
                  <br />
                  <span className="muted">{how(edge.type, edge.subtype)}</span> {edge.masking && <MaskMark how={edge.description} />}
                  {edge.description && <code className="wrap">{edge.description}</code>}
                </li>
              ))}
            </ol>
          )}
        </div>
      )}
      <Reached title="Comes from" impact={upstream} nothing="Nothing recorded: it is made here, or arrives from outside." choose={choose} />
      <Reached title="Goes to" impact={downstream} nothing="Nothing recorded reads it." choose={choose} />
    </aside>
  );
}

const LISTED = 60;

function Reached({ title, impact, nothing, choose }: { title: string; impact: Impact | null; nothing: string; choose: (column: ColumnRef) => void }) {
  if (!impact) return null;
  const columns = [...impact.columns].sort((a, b) => a.depth - b.depth || a.label.localeCompare(b.label));
  return (
    <div className="reached">
      <h3>
        {title} <span className="muted">{plural(columns.length, "column")}</span>
      </h3>
      {columns.length === 0 && <p className="muted">{nothing}</p>}
      <ul>
        {columns.slice(0, LISTED).map((one) => (
          <li key={`${one.dataset} ${one.column}`}>
            <button type="button" className="link-like name" title={one.label} onClick={() => choose({ dataset: one.dataset, column: one.column })}>
              <Name text={cutLabel(one.label, 34)} />.<Name text={one.column} />
            </button>
            <span className="muted"> {plural(one.depth, "step")}</span>
            {one.type === "INDIRECT" && <span className="muted">, only decides</span>} {one.masked && <MaskMark />}
            {!one.masked && one.pii && one.type !== "INDIRECT" && <PiiMark pii={one.pii} masked={false} />}
          </li>
        ))}
      </ul>
      {columns.length > LISTED && <p className="muted">and {columns.length - LISTED} more</p>}
    </div>
  );
}

/** What is known of one line of the canvas. */
export function LinePanel({ line, graph, close }: { line: { bundle: Bundle } | { edge: DatasetEdge }; graph: Merged; close: () => void }) {
  const name = (id: string) => graph.datasets.get(id)?.label ?? id;
  const edges: (DatasetEdge | ColumnEdge)[] = "bundle" in line ? line.bundle.edges : [line.edge];
  const ends = "bundle" in line ? line.bundle : line.edge;
  return (
    <aside className="panel" aria-label="Chosen line">
      <div className="panel-head">
        <h2>
          <DatasetLink id={ends.source} label={name(ends.source)} column={"bundle" in line ? line.bundle.sourceColumn : null} />
          {" → "}
          <DatasetLink id={ends.target} label={name(ends.target)} column={"bundle" in line ? line.bundle.targetColumn : null} />
        </h2>
        <button type="button" className="quiet" aria-label="Choose no line" onClick={close}>
          ✕
        </button>
      </div>
      <ul className="line-facts">
        {edges.map((edge, index) => {
          const job = graph.jobs.get(edge.job);
          return (
            <li key={index}>
              {"subtype" in edge && (
                <p>
                  {how(edge.type, edge.subtype)} {edge.masking && <MaskMark how={edge.description} />}
                  {edge.target_column === null && <span className="muted"> (which rows there are)</span>}
                  {edge.description && <code className="wrap">{edge.description}</code>}
                </p>
              )}
              <p>
                Job <span className="name">{jobName(graph, edge.job)}</span>
                {job?.kind && <span className="muted"> {job.kind.toLowerCase()}</span>}
              </p>
              <p className="muted">
                since {time(edge.valid_from)}
                {edge.valid_to && <>, until {time(edge.valid_to)}</>}
              </p>
            </li>
          );
        })}
      </ul>
    </aside>
  );
}
