import { useState } from "react";
import { address, ask, Failure } from "../api/client";
import type { DatasetPage } from "../api/answers/dataset";
import type { RunLine, RunList } from "../api/answers/run";
import { plural } from "../format";
import { RunTable } from "../parts/run_table";
import { Failed } from "../parts/state";

const FIRST_SHOWN = 25;

/** The runs that wrote a dataset: the latest first, older ones on request. */
export function DatasetRuns({ page, at }: { page: DatasetPage; at: string | null }) {
  const [older, setOlder] = useState<{ runs: RunLine[]; before: string | null } | null>(null);
  const [waiting, setWaiting] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const runs = older ? [...page.runs, ...older.runs] : page.runs;
  const before = older ? older.before : page.runs_before;

  const load = () => {
    setWaiting(true);
    setFailure(null);
    ask<RunList>(address("/dataset/runs", { id: page.id, at, before }))
      .then(
        (answer) => setOlder({ runs: [...(older?.runs ?? []), ...answer.runs], before: answer.before }),
        (error: unknown) => setFailure(error instanceof Failure ? error : new Failure(String(error), null, null, null)),
      )
      .finally(() => setWaiting(false));
  };

  return (
    <>
      <RunTable runs={runs} caption={`Runs that wrote ${page.label}`} shown={older ? runs.length : FIRST_SHOWN} />
      {failure && <Failed failure={failure} again={load} what="the older runs" />}
      {before !== null && !failure && (
        <p className="table-more table-further">
          <button type="button" onClick={load} disabled={waiting}>
            {waiting ? "Loading older runs…" : "Load older runs"}
          </button>{" "}
          <span className="muted">These are the latest {plural(runs.length, "run")}; there are older ones.</span>
        </p>
      )}
      {older && before === null && <p className="note">These are all {plural(runs.length, "run")} on record.</p>}
    </>
  );
}
