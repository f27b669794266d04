/**
 * Owns which of OpenTelemetry's standard variables decide whether and how traces are recorded
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). Where they are sent, and with what,
 * the exporter reads for itself: `OTEL_EXPORTER_OTLP_*`.
 */

export interface TraceSettings {
  readonly sampler: SamplerSettings;
  /** Absent values are the library's. */
  readonly batch: BatchSettings;
}

export interface SamplerSettings {
  /** What the caller has decided holds. */
  readonly followsParent: boolean;
  /** Of traces that begin with us: 0 to 1. */
  readonly ratio: number;
}

export interface BatchSettings {
  readonly scheduledDelayMillis?: number;
  readonly exportTimeoutMillis?: number;
  readonly maxQueueSize?: number;
  readonly maxExportBatchSize?: number;
}

export interface ReadTraceSettings {
  /** Absent when no traces are to be recorded. */
  readonly settings: TraceSettings | undefined;
  /** What was passed over, as the specification wants it: told, and no reason not to start. No value is repeated. */
  readonly warnings: readonly string[];
}

const DEFAULT_SAMPLER = 'parentbased_always_on';

const BATCH_VARIABLES = {
  scheduledDelayMillis: 'OTEL_BSP_SCHEDULE_DELAY',
  exportTimeoutMillis: 'OTEL_BSP_EXPORT_TIMEOUT',
  maxQueueSize: 'OTEL_BSP_MAX_QUEUE_SIZE',
  maxExportBatchSize: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
} as const;

export function readTraceSettings(
  environment: Readonly<Record<string, string | undefined>>,
): ReadTraceSettings {
  /** An empty value is the same as none. */
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const warnings: string[] = [];
  const off: ReadTraceSettings = { settings: undefined, warnings };
  const endpoint =
    read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? read('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (endpoint === undefined || read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return off;
  const exporter = read('OTEL_TRACES_EXPORTER') ?? 'otlp';
  if (exporter === 'none') return off;
  if (exporter !== 'otlp') {
    warnings.push('OTEL_TRACES_EXPORTER must be otlp or none: no traces are recorded');
    return off;
  }
  const protocol =
    read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? read('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== undefined && protocol !== 'http/protobuf') {
    warnings.push('OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf: no traces are recorded');
    return off;
  }
  const batch: Record<string, number> = {};
  for (const [name, variable] of Object.entries(BATCH_VARIABLES)) {
    const value = read(variable);
    if (value === undefined) continue;
    if (/^[1-9]\d{0,8}$/.test(value)) batch[name] = Number(value);
    else warnings.push(`${variable} must be a whole number above 0: its default is used`);
  }
  const sampler = readSampler(read, warnings);
  return { settings: { sampler, batch }, warnings };
}

function readSampler(
  read: (name: string) => string | undefined,
  warnings: string[],
): SamplerSettings {
  const name = read('OTEL_TRACES_SAMPLER') ?? DEFAULT_SAMPLER;
  const [, parent, kind] = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(name) ?? [];
  if (kind === undefined) {
    warnings.push(`OTEL_TRACES_SAMPLER is none that is known: ${DEFAULT_SAMPLER} is used`);
    return { followsParent: true, ratio: 1 };
  }
  const followsParent = parent !== undefined;
  if (kind !== 'traceidratio') return { followsParent, ratio: kind === 'always_on' ? 1 : 0 };
  const ratio = Number(read('OTEL_TRACES_SAMPLER_ARG') ?? 1);
  if (ratio >= 0 && ratio <= 1) return { followsParent, ratio };
  warnings.push('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1: 1 is used');
  return { followsParent, ratio: 1 };
}
