import { address } from "../api/client";
import type { DatasetHistory } from "../api/answers/dataset";
import { useAnswer } from "../api/use_answer";
import { plural } from "../format";
import { Section } from "../parts/section";
import { Failed, Loading } from "../parts/state";
import { Files } from "./files";
import { Quarantine } from "./quarantine";

/** Files, upkeep and quarantine of a dataset's latest runs; asked for after the page. */
export function History({ id, at, label, contract }: { id: string; at: string | null; label: string; contract: boolean }) {
  const answer = useAnswer<DatasetHistory>(address("/dataset/history", { id, at }));
  const told = answer.data;
  const state = answer.failure ? <Failed failure={answer.failure} again={answer.again} what="what its runs did" /> : <Loading what="what its runs did" />;
  const bound = told && !told.complete && <p className="note note-after">Of the latest {plural(told.runs, "run")}; there are older ones.</p>;
  return (
    <>
      <Section id="files" title="Files and upkeep">
        {told ? <Files history={told} label={label} /> : state}
        {bound}
      </Section>
      <Section id="quarantine" title="Quarantine" note="Rows that broke the contract and were set aside. Counts alone are recorded, never a value.">
        {told ? <Quarantine told={told.quarantine} label={label} contract={contract} /> : answer.failure ? <p className="note">Not loaded, for the same reason.</p> : <Loading what="the quarantine" />}
        {bound}
      </Section>
    </>
  );
}
