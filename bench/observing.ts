/**
 * Owns the measurement of what it costs to see the server run: GetSSOConfiguration with metrics, with traces, and with
 * neither, on one database. What is measured and recorded is in docs/observability.md.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';

import { checkAnswer, writeCall } from './bench-call.ts';
import type { BenchCall } from './bench-call.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { callJson, createConfiguration, startClaimgate } from './claimgate-process.ts';
import type { ClaimgateProcess } from './claimgate-process.ts';
import { loadHttp1 } from './load.ts';
import { findRatio, runRace, writeRace } from './race.ts';
import { readPort } from './read-port.ts';
import { judgeAtLeast } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';

export const observing: Measurement = {
  name: 'observing',
  summary: 'Get with metrics and with traces, beside Get without',
  run: measureObserving,
};

const CONNECTIONS = 32;
const METRICS = 'with metrics';
const NOTHING = 'with neither';
/** The least share of the rate without metrics. */
const TARGET = 0.95;

async function measureObserving(context: BenchContext) {
  const { machine } = context;
  const folder = makeScratchFolder(context.folder);
  const collector = await startCollector();
  const tracing = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'traceidratio',
  };
  const variants: readonly (readonly [name: string, env: Record<string, string>])[] = [
    [METRICS, { CLAIMGATE_METRICS_PORT: '0' }],
    [NOTHING, {}],
    ['with 1% of traces', { ...tracing, OTEL_TRACES_SAMPLER_ARG: '0.01' }],
    ['with all traces', { ...tracing, OTEL_TRACES_SAMPLER_ARG: '1' }],
  ];
  const started: (ClaimgateProcess & { readonly name: string })[] = [];
  try {
    for (const [name, env] of variants)
      started.push({ name, ...(await startClaimgate(machine, { folder, env })) });
    const [first] = started;
    if (first === undefined) throw new Error('there is no server');
    const call = await prepareCall(first);
    const race = await runRace(context, {
      title: 'Get, Connect JSON on HTTP/1.1, seen and unseen',
      contestants: started,
      async load({ name, port }, seconds) {
        await checkAnswer(call, port, name);
        return loadHttp1(machine, { port, ...writeCall(call) }, CONNECTIONS, { seconds });
      },
    });
    const ratio = { value: findRatio(race, NOTHING), unit: '×' };
    return {
      title: 'What it costs to be seen',
      verdicts: [judgeAtLeast({ what: 'Get with metrics, beside Get without', ...ratio }, TARGET)],
      text: [INTRODUCTION, writeRace(race)].join('\n\n'),
    };
  } finally {
    await Promise.all(started.map(({ stop }) => stop()));
    await collector.stop();
    removeScratchFolder(folder);
  }
}

const INTRODUCTION = `The same server, with [metrics or traces](observability.md) and without, on one database; each alone at a
time, in interleaved rounds. Traces go to a collector that takes them and does nothing with them. ${CONNECTIONS} connections.`;

async function prepareCall(claimgate: ClaimgateProcess): Promise<BenchCall> {
  const request = { ssoConfigurationId: await createConfiguration(claimgate) };
  const { text: json } = await callJson(claimgate.url, 'GetSSOConfiguration', request);
  return { method: 'getSSOConfiguration', protocol: 'connect-json', request, json };
}

async function startCollector() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${readPort(server)}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
