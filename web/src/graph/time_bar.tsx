import { useEffect, useState } from "react";
import { address } from "../api/client";
import type { Times } from "../api/answers/graph";
import { useAnswer } from "../api/use_answer";
import { plural, time } from "../format";
import type { Change } from "../router";
import type { Request } from "./request";

interface TimeBarProps {
  request: Request;
  change: (change: Change, options?: { replace?: boolean }) => void;
}

/** Which instant the graph is of, or which two are compared. */
export function TimeBar({ request, change }: TimeBarProps) {
  const times = useAnswer<Times>(address("/times"));
  const moments = times.data?.changes ?? [];
  const compare = () => {
    if (request.comparing) change({ since: null, until: null, at: request.until });
    else change({ since: moments[0] ?? null, until: request.at, at: null });
  };
  if (times.failure)
    return <p className="time-bar muted">The times at which the graph changed could not be loaded: {times.failure.message}</p>;
  if (!times.data) return <p className="time-bar muted">Loading the times…</p>;
  if (moments.length === 0) return <p className="time-bar muted">The graph has not changed yet.</p>;
  const one = (name: "at" | "since" | "until", title: string) => (
    <Slider
      key={name}
      title={title}
      moments={moments}
      value={request[name]}
      open={name !== "since"}
      choose={(value) => change({ [name]: value }, { replace: true })}
    />
  );
  return (
    <div className={request.comparing ? "time-bar comparing" : "time-bar"} role="group" aria-label="Time">
      {request.comparing ? [one("since", "Compare"), one("until", "with")] : one("at", "As of")}
      <button type="button" aria-pressed={request.comparing} onClick={compare}>
        Compare two instants
      </button>
      {!request.comparing && <span className="muted time-count">{plural(moments.length, "change")} recorded</span>}
    </div>
  );
}

interface SliderProps {
  title: string;
  moments: readonly string[];
  value: string | null;
  /** Whether the last position is "now". */
  open: boolean;
  choose: (value: string | null) => void;
}

const WAIT_MILLISECONDS = 150;

function Slider({ title, moments, value, open, choose }: SliderProps) {
  const last = open ? moments.length : moments.length - 1;
  const settled = value === null ? last : positionOf(moments, value);
  const [position, setPosition] = useState(settled);
  useEffect(() => setPosition(settled), [settled]);
  useEffect(() => {
    if (position === settled) return;
    const timer = setTimeout(() => choose(moments[position] ?? null), WAIT_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [position, settled]);
  const moved = position !== settled;
  const text = open && position === last ? "now" : time(moved ? moments[position] : (value ?? moments[position]), { seconds: true });
  const step = (by: number) => setPosition(Math.max(0, Math.min(last, position + by)));
  return (
    <div className="slider">
      <label>
        <span className="slider-title">{title}</span>
        <input
          type="range"
          min={0}
          max={last}
          step={1}
          value={position}
          aria-valuetext={text}
          onChange={(event) => setPosition(Number(event.target.value))}
        />
      </label>
      <button type="button" className="step" aria-label={`${title}: change before`} disabled={position === 0} onClick={() => step(-1)}>
        ‹
      </button>
      <button type="button" className="step" aria-label={`${title}: change after`} disabled={position === last} onClick={() => step(1)}>
        ›
      </button>
      <output className="slider-value">{text}</output>
      <details className="slider-exact">
        <summary>Exact</summary>
        <label>
          Instant, UTC{" "}
          <input
            type="datetime-local"
            step={1}
            value={(value ?? "").slice(0, 19)}
            onChange={(event) => {
              const exact = new Date(`${event.target.value}Z`);
              if (!Number.isNaN(exact.getTime())) choose(exact.toISOString());
            }}
          />
        </label>
      </details>
    </div>
  );
}

/** The last change not after the instant. */
export function positionOf(moments: readonly string[], instant: string): number {
  const wanted = Date.parse(instant);
  let position = 0;
  for (const [index, moment] of moments.entries()) if (Date.parse(moment) <= wanted) position = index;
  return position;
}
