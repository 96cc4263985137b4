import { describe, expect, it } from "vitest";
import { address } from "../src/api/client";
import { contractDiff } from "../src/contract/contract_diff";
import { bytes, cutLabel, duration, nameOf, sourceLink, time } from "../src/format";
import { changed, to } from "../src/router";

describe("what changed between two contracts", () => {
  const before = {
    version: "1.0.0",
    owner: "team:a",
    columns: [
      { name: "id", type: "string", key: true, nullable: false },
      { name: "phone", type: "string", nullable: true },
    ],
    checks: [{ id: "fare:ge", column: "fare", sql: "fare >= 0" }],
  };

  it("is nothing when only the version or the order of keys differs", () => {
    const after = { columns: [...before.columns].reverse(), version: "1.0.1", owner: "team:a", checks: before.checks };
    expect(contractDiff(before, after)).toEqual([]);
  });

  it("names columns that came, went and changed, and settings", () => {
    const after = {
      version: "2.0.0",
      owner: "team:b",
      columns: [
        { name: "id", type: "bigint", key: true, nullable: false },
        { name: "seat", type: "string" },
      ],
      checks: [],
    };
    const changes = contractDiff(before, after).map((one) => [one.what, one.subject, one.change, one.property]);
    expect(changes).toEqual([
      ["column", "id", "changed", "type"],
      ["column", "seat", "added", null],
      ["column", "phone", "removed", null],
      ["check", "fare:ge", "removed", null],
      ["setting", "owner", "changed", null],
    ]);
  });
});

describe("a source link", () => {
  it("is followed only when it is http or https", () => {
    expect(sourceLink("https://git.example/a.py#L1")).toBe("https://git.example/a.py#L1");
    for (const bad of ["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "/blob/x", "file:///etc/passwd", "", null])
      expect(sourceLink(bad)).toBeNull();
  });
});

describe("figures", () => {
  it("are written for people, in UTC", () => {
    expect(time("2026-11-24T06:07:08.9+02:00", { seconds: true })).toBe("2026-11-24 04:07:08 UTC");
    expect(time(null)).toBe("–");
    expect([duration(0.25), duration(4.26), duration(131), duration(7260)]).toEqual(["250 ms", "4.3 s", "2 min 11 s", "2 h 1 min"]);
    expect([bytes(999), bytes(720877), bytes(null)]).toEqual(["999 B", "720.9 kB", "–"]);
  });
});

describe("names", () => {
  it("are cut at the front when they are paths, and only then", () => {
    expect(cutLabel("/srv/penstock/landing/bookings", 22)).toBe("…/landing/bookings");
    expect(cutLabel("silver.bookings", 4)).toBe("silver.bookings");
    expect(cutLabel("/lake/x")).toBe("/lake/x");
  });

  it("are what stands behind the first bar of an id", () => {
    expect(nameOf("file|/lake/a|b")).toBe("/lake/a|b");
  });
});

describe("addresses", () => {
  it("carry any name unharmed", () => {
    const id = "bi|<script>alert('a&b=c#d')</script>";
    expect(new URLSearchParams(to("/dataset", { id }).split("?")[1]).get("id")).toBe(id);
    expect(new URLSearchParams(address("/dataset", { id, at: null }).split("?")[1]).get("id")).toBe(id);
  });

  it("change in the parameters named and no others", () => {
    const next = changed(new URLSearchParams("id=a&up=b&up=c&at=x"), { up: ["b", "d"], at: null });
    expect(next.toString()).toBe("id=a&up=b&up=d");
  });
});
