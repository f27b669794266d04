// Owns reading Prometheus' text format as strictly as it is written down
// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format): what is not allowed is thrown.

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|NaN|[+-]Inf)$/i;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

export function parseMetrics(text: string): ReadonlyMap<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, MetricFamily & { samples: Sample[] }>();
  const seen = new Set<string>();
  let help: { name: string; text: string } | undefined;
  let current: (MetricFamily & { samples: Sample[] }) | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (!NAME.test(name) || families.has(name)) throw new Error(`a second ${line}`);
      help = { name, text: rest };
    } else if (kind === 'TYPE') {
      if (help?.name !== name || !(rest in SUFFIXES)) throw new Error(`out of place: ${line}`);
      current = { name, type: rest, help: help.text, samples: [] };
      families.set(name, current);
    } else {
      const sample = parseSample(line);
      const suffix = sample.name.slice(current?.name.length);
      const isOfCurrent =
        current !== undefined &&
        sample.name.startsWith(current.name) &&
        SUFFIXES[current.type]?.includes(suffix) === true;
      if (!isOfCurrent) throw new Error(`not of the metric before it: ${line}`);
      const labels = Object.entries(sample.labels).map((pair) => pair.join('='));
      const key = [sample.name, ...labels.toSorted((a, b) => a.localeCompare(b))].join(' ');
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      current?.samples.push(sample);
    }
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

function parseSample(line: string): Sample {
  const [, name = '', list = '', value = ''] = SAMPLE.exec(line) ?? [];
  if (name === '' || !VALUE.test(value)) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  let length = 0;
  for (const [all, label = '', text = ''] of list.matchAll(LABEL)) {
    if (label in labels) throw new Error(`a label twice: ${line}`);
    labels[label] = text;
    length += all.length;
  }
  if (length !== list.length) throw new Error(`labels that are none: ${line}`);
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

/** Buckets rise to `+Inf`, which is the count. */
function checkHistogram({ name, samples }: MetricFamily): void {
  const last = new Map<string, { le: number; value: number }>();
  for (const { name: sampleName, labels, value } of samples) {
    const { le = '', ...others } = labels;
    const key = JSON.stringify(others);
    if (sampleName === `${name}_bucket`) {
      const bound = Number(le.replace('Inf', 'Infinity'));
      const before = last.get(key) ?? { le: -Infinity, value: 0 };
      if (bound <= before.le || value < before.value)
        throw new Error(`falls: ${name} ${key} ${le}`);
      last.set(key, { le: bound, value });
    } else if (sampleName === `${name}_count`) {
      const end = last.get(key);
      if (end?.le !== Infinity || end.value !== value) throw new Error(`no end: ${name} ${key}`);
    }
  }
}
