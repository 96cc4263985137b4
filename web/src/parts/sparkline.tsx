interface SparklineProps {
  /** Oldest first, none below zero. */
  values: readonly number[];
  /** Which of them are drawn as another kind. */
  marked: readonly boolean[];
  /** The same in words. */
  said: string;
}

const HEIGHT = 32;
const STEP = 8;
const LEAST = 1.5;

/** A bar for each value. What it shows is said beside it. */
export function Sparkline({ values, marked, said }: SparklineProps) {
  const most = Math.max(...values, 1);
  return (
    <p className="sparkline">
      <svg width={Math.min(values.length * STEP, 480)} height={HEIGHT} viewBox={`0 0 ${values.length * STEP} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {values.map((value, index) => {
          const height = Math.max((value / most) * HEIGHT, LEAST);
          return <rect key={index} className={marked[index] ? "spark spark-marked" : "spark"} x={index * STEP} y={HEIGHT - height} width={STEP - 2} height={height} />;
        })}
      </svg>{" "}
      <span className="muted">{said}</span>
    </p>
  );
}
