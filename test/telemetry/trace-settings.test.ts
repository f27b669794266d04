import { expect, test } from 'vitest';

import { readTraceSettings } from '../../src/telemetry/trace-settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const ALL = { followsParent: true, ratio: 1 };

test.each<[string, Record<string, string>]>([
  ['no endpoint', {}],
  ['an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
  ['OpenTelemetry switched off', { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }],
  ['no exporter', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
])('With %s there are no traces, and nothing to tell', (_what, environment) => {
  expect(readTraceSettings(environment)).toEqual({ settings: undefined, warnings: [] });
});

test.each<[string, Record<string, string>]>([
  ['OTEL_EXPORTER_OTLP_PROTOCOL', { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' }],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }],
  ['OTEL_TRACES_EXPORTER', { OTEL_TRACES_EXPORTER: 'zipkin' }],
])('What cannot be exported is told, by %s', (name, environment) => {
  const { settings, warnings } = readTraceSettings({ ...ENDPOINT, ...environment });
  expect(settings).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining(name)]);
});

test.each([
  [{ OTEL_TRACES_SAMPLER: 'always_on' }, { followsParent: false, ratio: 1 }],
  [{ OTEL_TRACES_SAMPLER: 'always_off' }, { followsParent: false, ratio: 0 }],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, { followsParent: true, ratio: 0 }],
  [
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
    { followsParent: false, ratio: 0.25 },
  ],
  [
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
    { followsParent: true, ratio: 0 },
  ],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' }, ALL],
  [{}, ALL],
])('%o samples accordingly', (environment, sampler) => {
  const read = readTraceSettings({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c',
    ...environment,
  });
  expect(read).toEqual({ settings: { sampler, batch: {} }, warnings: [] });
});

test.each([
  { OTEL_TRACES_SAMPLER: 'jaeger_remote' },
  { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
  { OTEL_BSP_SCHEDULE_DELAY: 'soon' },
  { OTEL_BSP_MAX_QUEUE_SIZE: '0' },
])('%o is told and passed over', (environment) => {
  const { settings, warnings } = readTraceSettings({ ...ENDPOINT, ...environment });
  expect(settings).toMatchObject({ sampler: { ratio: 1 }, batch: {} });
  expect(warnings).toHaveLength(1);
});

test('Batches are as large and as late as their variables say', () => {
  const { settings } = readTraceSettings({
    ...ENDPOINT,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_BSP_EXPORT_TIMEOUT: '200',
    OTEL_BSP_MAX_QUEUE_SIZE: '300',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '40',
  });
  expect(settings?.batch).toEqual({
    scheduledDelayMillis: 100,
    exportTimeoutMillis: 200,
    maxQueueSize: 300,
    maxExportBatchSize: 40,
  });
});
