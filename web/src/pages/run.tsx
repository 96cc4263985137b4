import type { ReactNode } from "react";
import { address } from "../api/client";
import type { DatasetPage } from "../api/answers/dataset";
import type { Summary } from "../api/answers/overview";
import type { RunDiff, RunEnd, RunPage } from "../api/answers/run";
import { useAnswer } from "../api/use_answer";
import { bytes, count, duration, nameOf, plural, short, time, words } from "../format";
import { Facets } from "../parts/facets";
import { Facts } from "../parts/facts";
import { dagsterRun, DatasetLink, RunLink, SourceLink } from "../parts/link";
import { RunState } from "../parts/mark";
import { Page } from "../parts/page";
import { RunEvents } from "../parts/run_events";
import { Section } from "../parts/section";
import { Empty, Failed, Loading, NotMeasured } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";
import { Link, to, useQueryChange, type Place } from "../router";

export function RunView({ place }: { place: Place }) {
  const id = place.query.get("id");
  const other = place.query.get("other");
  const answer = useAnswer<RunPage>(id === null ? null : address("/run", { id }));
  const summary = useAnswer<Summary>(address("/summary"));
  const one = answer.data;
  const compared = one ? (other ?? one.previous) : null;
  const diff = useAnswer<RunDiff>(one && compared ? address("/run/diff", { id, other: compared }) : null);

  if (!one)
    return (
      <Page title="Run">
        {id === null ? (
          <Empty title="No run is named in the address." />
        ) : answer.failure ? (
          <>
            <Failed failure={answer.failure} again={answer.again} what="the run" />
            {answer.failure.status === 404 && (
              <p className="note after-state">The ledger holds the runs that have told it of themselves. The run of an orchestrator, which others are part of, often has not.</p>
            )}
          </>
        ) : (
          <Loading what="the run" />
        )}
      </Page>
    );
  const told = one.facets.penstock_run as { dagsterRunId?: unknown } | undefined;
  const started = one.parent && told?.dagsterRunId === one.parent.run_id ? dagsterRun(summary.data?.dagster_url, one.parent.run_id) : null;
  const error = typeof one.error === "string" ? one.error : one.error?.message;
  const source = one.source;
  return (
    <Page
      title={`${nameOf(one.job)}${one.slice ? `, ${one.slice}` : ""}`}
      kicker={
        <>
          Run <code>{one.run_id}</code>
        </>
      }
      actions={
        <>
          {one.previous && (
            <Link className="button" href={to("/run", { id: one.previous })}>
              Run before
            </Link>
          )}
          {started && (
            <a className="button" href={started} target="_blank" rel="noreferrer noopener">
              In Dagster
            </a>
          )}
        </>
      }
    >
      <Facts
        label="About the run"
        facts={[
          ["State", <RunState key="state" state={one.state} />],
          ["Kind", one.kind ? words(one.kind) : null],
          ["Started", one.started && time(one.started, { seconds: true })],
          ["Ended", one.ended ? time(one.ended, { seconds: true }) : <NotMeasured>not ended</NotMeasured>],
          ["Took", one.seconds === null ? null : duration(one.seconds)],
          ["Slice", one.slice ?? <span className="muted">whole dataset</span>],
          ["Rows in", one.rows_in === null ? null : count(one.rows_in)],
          ["Rows committed", one.rows_committed !== null ? count(one.rows_committed) : one.state === "FAIL" || one.state === "ABORT" ? "none" : null],
          ["Rows quarantined", one.rows_quarantined === null ? null : count(one.rows_quarantined)],
          ["Contract version", one.contract_version],
          ["Code version", one.code_version && <code title={one.code_version}>{one.code_version.slice(0, 16)}</code>],
          [
            "Code",
            source?.path ? (
              <>
                <SourceLink url={source.url} text={`${source.path}${source.line ? `:${source.line}` : ""}`} />
                {source.commit && (
                  <>
                    {" "}
                    <span className="muted">at</span> <code title={source.commit}>{source.commit.slice(0, 10)}</code>
                  </>
                )}
              </>
            ) : null,
          ],
          ["Part of", one.parent ? <Parent parent={one.parent} /> : <span className="muted">no other run</span>],
          ...(one.root && one.root.run_id !== one.parent?.run_id ? ([["Started by", <Parent key="root" parent={one.root} />]] as [string, ReactNode][]) : []),
        ]}
      />
      {error && (
        <Section id="error" title="Error">
          <pre className="error-text" tabIndex={0}>
            {error}
          </pre>
        </Section>
      )}
      <Section id="inputs" title="Inputs">
        {one.inputs.length === 0 ? <Empty title="It read nothing that is recorded." /> : <Table caption="Inputs of the run" columns={INPUTS} rows={one.inputs} rowKey={(end) => end.dataset} />}
      </Section>
      <Section id="outputs" title="Outputs">
        {one.outputs.length === 0 ? <Empty title="It wrote nothing that is recorded." /> : <Table caption="Outputs of the run" columns={OUTPUTS} rows={one.outputs} rowKey={(end) => end.dataset} />}
      </Section>
      <Section
        id="differences"
        title={other ? "Compared with another run" : "Compared with the run before"}
        note={
          compared && (
            <>
              Before: <RunLink id={compared} />. After: this run, {short(one.run_id)}.
            </>
          )
        }
      >
        {one.outputs[0] && <OtherRun run={one.run_id} job={one.job} dataset={one.outputs[0].dataset} chosen={compared} />}
        {!compared ? (
          <Empty title="It is the first run of its job and slice." />
        ) : diff.failure ? (
          <Failed failure={diff.failure} again={diff.again} what="the comparison" />
        ) : !diff.data ? (
          <Loading what="the comparison" />
        ) : diff.data.differences.length === 0 ? (
          <Empty title="Nothing recorded differs." />
        ) : (
          <Table caption="Differences between the two runs" columns={DIFFERENCES} rows={diff.data.differences} rowKey={(_, index) => String(index)} />
        )}
      </Section>
      <Section id="events" title="Events">
        <RunEvents page={one} />
      </Section>
      <Section id="facets" title="Facets" note="All that its events have said, also what has no meaning here.">
        <Facets facets={one.facets} />
        {one.job_facets && (
          <>
            <h3>Of its job</h3>
            <Facets facets={one.job_facets} />
          </>
        )}
      </Section>
    </Page>
  );
}

/** Another run of the same job, to compare with. */
function OtherRun({ run, job, dataset, chosen }: { run: string; job: string; dataset: string; chosen: string | null }) {
  const change = useQueryChange();
  const answer = useAnswer<DatasetPage>(address("/dataset", { id: dataset }));
  if (answer.failure) return <Failed failure={answer.failure} again={answer.again} what="the other runs" />;
  if (!answer.data) return <Loading what="the other runs" />;
  const others = answer.data.runs.filter((other) => other.run_id !== run && other.job === job);
  if (others.length === 0) return null;
  return (
    <div className="choices">
      <label>
        Compare with{" "}
        <select value={others.some((other) => other.run_id === chosen) ? (chosen ?? "") : ""} onChange={(event) => change({ other: event.target.value })}>
          <option value="">the run before</option>
          {others.map((other) => (
            <option key={other.run_id} value={other.run_id}>
              {time(other.started)}
              {other.slice ? `, ${other.slice}` : ""}, {words(other.state)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Parent({ parent }: { parent: NonNullable<RunPage["parent"]> }) {
  return (
    <>
      {parent.job_name}, <span className="muted">run</span> <RunLink id={parent.run_id} />
    </>
  );
}

const version = (end: RunEnd) => (end.version === null ? <NotMeasured>not said</NotMeasured> : <code>{end.version}</code>);

const INPUTS: TableColumn<RunEnd>[] = [
  { title: "Dataset", cell: (end) => <DatasetLink id={end.dataset} label={end.label} /> },
  { title: "Version read", cell: version },
  { title: "Facets", wide: true, cell: (end) => <Inline facets={end.facets} /> },
];

const OUTPUTS: TableColumn<RunEnd>[] = [
  { title: "Dataset", cell: (end) => <DatasetLink id={end.dataset} label={end.label} /> },
  { title: "Version written", cell: version },
  { title: "Written", wide: true, cell: (end) => <Statistics statistics={end.statistics} /> },
  { title: "Facets", wide: true, cell: (end) => <Inline facets={end.facets} /> },
];

function Statistics({ statistics }: { statistics: Record<string, unknown> | null | undefined }) {
  const number = (...names: string[]) => {
    const found = names.map((name) => statistics?.[name]).find((value) => typeof value === "number");
    return typeof found === "number" ? found : null;
  };
  const rows = number("rowCount", "row_count", "rows");
  const size = number("size", "bytes");
  const files = number("fileCount", "file_count", "files");
  if (rows === null && size === null && files === null) return <NotMeasured />;
  return (
    <>
      {[rows !== null && plural(rows, "row"), size !== null && bytes(size), files !== null && plural(files, "file")].filter(Boolean).join(", ")}
    </>
  );
}

function Inline({ facets }: { facets: Record<string, unknown> }) {
  const names = Object.keys(facets ?? {});
  if (names.length === 0) return <span className="muted">none</span>;
  return (
    <details>
      <summary>{names.join(", ")}</summary>
      <pre tabIndex={0}>{JSON.stringify(facets, null, 2)}</pre>
    </details>
  );
}

function said(value: unknown) {
  if (value === null || value === undefined) return <span className="muted">nothing</span>;
  if (typeof value === "boolean") return value ? "there" : "not there";
  if (typeof value === "number") return value.toLocaleString("en-GB");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const DIFFERENCES: TableColumn<RunDiff["differences"][number]>[] = [
  { title: "What", cell: (one) => <span className="name">{words(one.what)}</span> },
  { title: "Of", cell: (one) => (one.subject ? words(one.subject) : <span className="muted">the run</span>) },
  { title: "Before", wide: true, cell: (one) => <span className="before">{said(one.before)}</span> },
  { title: "After", wide: true, cell: (one) => <span className="after">{said(one.after)}</span> },
];
