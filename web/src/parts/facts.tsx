import type { ReactNode } from "react";
import { NotMeasured } from "./state";

export type Fact = [title: string, value: ReactNode];

/** Facts as a list of terms. What is null or empty says that it was not measured. */
export function Facts({ facts, label }: { facts: readonly Fact[]; label: string }) {
  return (
    <dl className="facts" aria-label={label}>
      {facts.map(([title, value]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{value === null || value === undefined || value === "" ? <NotMeasured /> : value}</dd>
        </div>
      ))}
    </dl>
  );
}
