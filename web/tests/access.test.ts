import { describe, expect, it } from "vitest";
import { asked } from "../src/access/words";

const ID = "file|/lake/silver/bookings";
const OTHER = "kafka|topic";
const labels = { [ID]: "silver.bookings" };
const said = (path: string, query: Record<string, string> = {}, method = "GET") =>
  asked({ method, path: path.startsWith("/api/") ? path : `/api/penstock/v1${path}`, query: new URLSearchParams(query).toString() }, labels);

describe("what somebody asked for", () => {
  it("is said by the names that people use", () => {
    expect(said("/dataset", { id: ID })).toBe("dataset page silver.bookings");
    expect(said("/impact", { id: ID, column: "email" })).toBe("impact of silver.bookings.email");
    expect(said("/impact", { id: ID, direction: "upstream" })).toBe("origins of silver.bookings");
    expect(said("/path", { source: ID, source_column: "email", target: OTHER })).toBe("ways from silver.bookings.email to topic");
    expect(said("/dataset/runs", { id: ID })).toBe("runs of silver.bookings");
    expect(said("/dataset/history", { id: ID, at: "2026-01-02T00:00:00Z" })).toBe("history of silver.bookings as of 2026-01-02 00:00 UTC");
    expect(said("/coverage", { id: ID })).toBe("coverage of silver.bookings");
    expect(said("/graph")).toBe("whole graph");
    expect(said("/graph", { id: ID, at: "2026-01-02T00:00:00Z" })).toBe("graph around silver.bookings as of 2026-01-02 00:00 UTC");
    expect(said("/search", { q: "ada@example.com" })).toBe("search for “ada@example.com”");
    expect(said("/access", { dataset: ID })).toBe("access log: who has looked at silver.bookings");
  });

  it("tells signing in from signing out", () => {
    expect(said("/session", {}, "POST")).toBe("sign in");
    expect(said("/session", {}, "DELETE")).toBe("sign out");
  });

  it("is never empty, whatever was asked for", () => {
    expect(said("/dataset")).toBe("dataset page a dataset");
    expect(said("/no/such")).toBe("no/such");
    expect(said("/no/such", { id: ID })).toBe("no/such of silver.bookings");
    expect(said("/api/v1/namespaces/s3/datasets/x")).toBe("by Marquez’s API: namespaces/s3/datasets/x");
    expect(said("/api/v1/lineage", { nodeId: "dataset:s3:x" })).toBe("by Marquez’s API: lineage of dataset:s3:x");
    expect(said("/api/v1/lineage", {}, "POST")).toBe("events sent");
    expect(said("/api/none")).toBe("/api/none");
  });
});
