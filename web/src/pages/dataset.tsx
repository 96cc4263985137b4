import { useEffect, useRef } from "react";
import { address } from "../api/client";
import { mayAudit, useSignIn } from "../api/session";
import type { DatasetPage } from "../api/answers/dataset";
import type { ColumnEnd } from "../api/answers/graph";
import type { Summary } from "../api/answers/overview";
import { useAnswer } from "../api/use_answer";
import { Contracts } from "../contract/contracts";
import { Coverage } from "../dataset/coverage";
import { Freshness } from "../dataset/freshness";
import { History } from "../dataset/history";
import { DatasetRuns } from "../dataset/runs";
import { plural, time } from "../format";
import { groupColour } from "../graph/group";
import { CheckHistory } from "../parts/check_history";
import { EvidenceButton } from "../parts/evidence";
import { Facets } from "../parts/facets";
import { Facts } from "../parts/facts";
import { dagsterAsset, DatasetLink, graphHref } from "../parts/link";
import { how, KeyMark, MaskMark, PiiMark } from "../parts/mark";
import { Page } from "../parts/page";
import { Readers } from "../parts/readers";
import { Section } from "../parts/section";
import { Empty, Failed, Loading, NotMeasured } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";
import { Link, to, type Place } from "../router";

type PageColumn = DatasetPage["columns"][number];

const SECTIONS = [
  ["freshness", "Freshness"],
  ["columns", "Columns"],
  ["contract", "Contract"],
  ["runs", "Runs"],
  ["files", "Files and upkeep"],
  ["quarantine", "Quarantine"],
  ["checks", "Checks"],
  ["coverage", "Coverage"],
  ["readers", "Who has read it"],
  ["facets", "Facets"],
] as const;

export function DatasetView({ place }: { place: Place }) {
  const id = place.query.get("id");
  const at = place.query.get("at");
  const chosen = place.query.get("column");
  const answer = useAnswer<DatasetPage>(id === null ? null : address("/dataset", { id, at }));
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen && answer.data) row.current?.querySelector(".row-at")?.scrollIntoView({ block: "center" });
  }, [chosen, answer.data]);

  const signIn = useSignIn();
  const summary = useAnswer<Summary>(address("/summary"));

  const one = answer.data;
  const asset = one && dagsterAsset(summary.data?.dagster_url, one.label);
  if (!one)
    return (
      <Page title="Dataset">
        {id === null ? (
          <Empty title="No dataset is named in the address." />
        ) : answer.failure ? (
          <Failed failure={answer.failure} again={answer.again} what="the dataset" />
        ) : (
          <Loading what="the dataset" />
        )}
      </Page>
    );
  return (
    <Page
      title={one.label}
      kicker={
        <>
          <span className="swatch" style={{ background: groupColour(one.group) }} aria-hidden="true" /> {one.group} dataset
          {at && <> as of {time(at)}</>}
        </>
      }
      lead={one.description}
      actions={
        <>
          <Link className="button" href={to("/graph", { id: one.id, dataset: chosen && one.id, column: chosen, at })}>
            Graph
          </Link>
          {mayAudit(signIn) && (
            <Link className="button" href={to("/access", { dataset: one.id })}>
              Who has looked at this
            </Link>
          )}
          <EvidenceButton of={chosen ? `${one.label}.${chosen}` : one.label} asked={{ id: one.id, column: chosen }} />
          {asset && one.contract && (
            <a className="button" href={asset} target="_blank" rel="noreferrer noopener">
              In Dagster
            </a>
          )}
          {at && (
            <Link className="button" href={to("/dataset", { id: one.id, column: chosen })}>
              As it is now
            </Link>
          )}
        </>
      }
    >
      {answer.failure && <Failed failure={answer.failure} again={answer.again} what="the dataset" />}
      <Facts
        label="About the dataset"
        facts={[
          ["Owners", one.owners.length ? one.owners.join(", ") : null],
          ["Contract", one.contract ? `${one.contract.name} ${one.contract.version}` : <span className="muted">none registered</span>],
          ["First seen", one.first_seen && time(one.first_seen)],
          ["Last seen", one.last_seen && time(one.last_seen)],
          ["Namespace", one.namespace],
          ["Name", one.name],
          [
            "Also known as",
            one.symlinks.length ? one.symlinks.map((link) => `${link.namespace} ${link.name}`).join(", ") : <span className="muted">no other name</span>,
          ],
          ["Columns", one.columns.length ? plural(one.columns.length, "column") : null],
        ]}
      />
      <nav aria-label="On this page">
        <ul className="contents">
          {SECTIONS.map(([anchor, title]) => (
            <li key={anchor}>
              <a href={`#${anchor}`}>{title}</a>
            </li>
          ))}
        </ul>
      </nav>
      <Section id="freshness" title="Freshness">
        <Freshness told={one.freshness} />
      </Section>
      <Section id="columns" title="Columns">
        {one.columns.length === 0 ? (
          <Empty title="Its columns are not known.">
            <p>No event has named them.</p>
          </Empty>
        ) : (
          <div ref={row}>
            <Table
              caption={`Columns of ${one.label}`}
              columns={columnsOf(one.id)}
              rows={one.columns}
              rowKey={(column) => column.name}
              rowClass={(column) => (column.name === chosen ? "row-at" : undefined)}
              shown={chosen ? Math.max(100, one.columns.findIndex((column) => column.name === chosen) + 1) : 100}
            />
          </div>
        )}
        <h3>What decides which rows there are</h3>
        {one.rows_from.length === 0 ? (
          <p className="note">Nothing is recorded that filters, joins or sorts its rows.</p>
        ) : (
          <Ends ends={one.rows_from} />
        )}
      </Section>
      <Section id="contract" title="Contract">
        <Contracts versions={one.contracts} />
      </Section>
      <Section id="runs" title="Runs">
        <DatasetRuns key={`${one.id} ${at}`} page={one} at={at} />
      </Section>
      <History id={one.id} at={at} label={one.label} contract={one.contract !== null} />
      <Section id="checks" title="Checks">
        <CheckHistory checks={one.checks} />
      </Section>
      <Section id="coverage" title="Coverage" note="The commits in the table’s own history against the runs that the ledger was told of.">
        <Coverage page={one} at={at} />
      </Section>
      <Section id="readers" title="Who has read it" note="The runs on record that have read this dataset, or one of its columns.">
        <Readers id={one.id} columns={one.columns} column={chosen} />
      </Section>
      <Section id="facets" title="Facets" note="All that events have said of this dataset, also what has no meaning here.">
        <Facets facets={one.facets} />
      </Section>
    </Page>
  );
}

const LISTED = 3;

function Ends({ ends }: { ends: readonly ColumnEnd[] }) {
  if (ends.length === 0) return <span className="muted">none</span>;
  const lines = ends.map((end, index) => (
    <li key={index}>
      <DatasetLink id={end.dataset} label={end.label} column={end.column} />{" "}
      <span className="muted" title={end.description || undefined}>
        {how(end.type, end.subtype)}
      </span>
      {end.column === null && <span className="muted">, all columns</span>} {end.masking && <MaskMark how={end.description} />}
    </li>
  ));
  return (
    <>
      <ul className="plain-list">{lines.slice(0, LISTED)}</ul>
      {lines.length > LISTED && (
        <details>
          <summary>{lines.length - LISTED} more</summary>
          <ul className="plain-list">{lines.slice(LISTED)}</ul>
        </details>
      )}
    </>
  );
}

const columnsOf = (id: string): TableColumn<PageColumn>[] => [
  {
    title: "Column",
    width: "16%",
    cell: (one) => (
      <>
        <Link className="name" href={graphHref(id, one.name)} title="Its ways in the graph">
          {one.name}
        </Link>{" "}
        {one.key && <KeyMark />}
      </>
    ),
  },
  {
    title: "Type",
    width: "11%",
    cell: (one) => (
      <>
        {one.type ? <code>{one.type}</code> : <NotMeasured>not said</NotMeasured>}
        {one.unit && <div className="muted">{one.unit}</div>}
      </>
    ),
  },
  { title: "Meaning", width: "18%", cell: (one) => one.description || <NotMeasured>not described</NotMeasured> },
  { title: "Class", width: "13%", cell: (one) => (one.pii || one.masked ? <PiiMark pii={one.pii} masked={one.masked} /> : <span className="muted">none</span>) },
  {
    title: "Checks",
    width: "10%",
    cell: (one) =>
      one.checks.length === 0 ? (
        <span className="muted">none</span>
      ) : (
        <ul className="plain-list">
          {one.checks.map((check) => (
            <li key={check}>
              <code>{check}</code>
            </li>
          ))}
        </ul>
      ),
  },
  { title: "Where from", width: "16%", cell: (one) => <Ends ends={one.upstream} /> },
  { title: "Where to", width: "16%", cell: (one) => <Ends ends={one.downstream} /> },
];
