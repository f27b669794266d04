/**
 * Owns the recording of traces and their export by OTLP: a span for each unary call and each page of a login, and within
 * it one for each request to an identity provider, each question to the store and each transaction. Attributes are names
 * and codes alone. The trace does not go on to identity providers, which did not ask for it.
 *
 * The active span is kept here, and nothing is registered with the API's globals: what is not joined here is not seen.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Span } from '@opentelemetry/api';
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace';

import type { Awaitable } from '../domain/awaitable.ts';
import { DomainError, isOurFailing } from '../domain/errors.ts';
import type { StoreWatcher, WatchIdpRequest } from '../domain/observation.ts';
import type { IncomingTrace, ServedRequest, StartServedSpan } from '../domain/tracing.ts';
import type { SamplerSettings, TraceSettings } from './trace-settings.ts';

export interface Traces {
  readonly startServedSpan: StartServedSpan;
  readonly watchIdpRequest: WatchIdpRequest;
  readonly storeWatcher: StoreWatcher;
  /** Sends what has been recorded, as far as it goes within the time for it. */
  readonly close: () => Promise<void>;
}

export interface TracesOptions {
  readonly settings: TraceSettings;
  readonly version: string;
  /** Such as `sqlite` (https://opentelemetry.io/docs/specs/semconv/registry/attributes/db/). */
  readonly database: string;
  /** Told why spans could not be sent. */
  readonly onError: (error: unknown) => void;
}

/** For sending what is left when the process ends, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

/** https://opentelemetry.io/docs/specs/semconv/rpc/ */
const RPC_SYSTEMS = { connect: 'connectrpc', grpc: 'grpc', 'grpc-web': 'grpc' } as const;

export function createTraces({ settings, version, database, onError }: TracesOptions): Traces {
  const resource = resourceFromAttributes({
    'service.name': 'claimgate',
    'service.version': version,
  }).merge(detectResources({ detectors: [serviceInstanceIdDetector, envDetector] }));
  const exporter = watchExporter(new OTLPTraceExporter(), onError);
  const provider = new TracerProvider({
    resource,
    sampler: createSampler(settings.sampler),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...settings.batch })],
  });
  const tracer = provider.getTracer('claimgate', version);
  const propagator = new W3CTraceContextPropagator();
  const active = new AsyncLocalStorage<Span>();

  const startServed = (served: ServedRequest, incoming: IncomingTrace): Span => {
    const parent = propagator.extract(ROOT_CONTEXT, incoming, {
      keys: (carrier) => Object.keys(carrier),
      get: (carrier, name) =>
        name === 'traceparent' || name === 'tracestate' ? carrier[name] : undefined,
    });
    const { name, attributes } = describeServed(served);
    return tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
  };

  /** What nobody's request has led to is not recorded: a trace of housekeeping tells nobody anything. */
  const runWithin = async <Result>(
    { name, attributes }: SpanText,
    run: (span: Span | undefined) => Awaitable<Result>,
  ): Promise<Result> => {
    const parent = active.getStore();
    if (parent === undefined) return run(undefined);
    const context = trace.setSpan(ROOT_CONTEXT, parent);
    const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, context);
    try {
      return await run(span);
    } catch (error) {
      // A refusal of the work within a transaction is none of the store.
      if (!(error instanceof DomainError) || isOurFailing(error)) markFailed(span, error);
      throw error;
    } finally {
      span.end();
    }
  };
  const runOnStore = <Result>(name: string, run: () => Awaitable<Result>): Promise<Result> =>
    runWithin(
      {
        name: `store ${name}`,
        attributes: { 'db.system.name': database, 'db.operation.name': name },
      },
      run,
    );

  return {
    startServedSpan(served, incoming) {
      const span = startServed(served, incoming);
      return {
        traceId: span.spanContext().traceId,
        // What is not recorded has no parts that are.
        run: (work) => (span.isRecording() ? active.run(span, work) : work()),
        end(code, failed) {
          span.setAttributes(describeEnd(served, code));
          if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
          if (failed) span.setAttribute('error.type', code);
          span.end();
        },
      };
    },
    watchIdpRequest: (kind, send) =>
      runWithin(
        { name: `idp ${kind}`, attributes: { 'claimgate.idp.request': kind } },
        async (span) => {
          const response = await send();
          span?.setAttribute('http.response.status_code', response.status);
          return response;
        },
      ),
    storeWatcher: {
      read: (method, run) => runOnStore(method, run),
      transaction: (run) => runOnStore('transaction', () => run(() => {})),
      ping: (run) => run(),
    },
    async close() {
      const shutdown = provider.shutdown().catch(onError);
      const { promise: over, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_TIMEOUT);
      await Promise.race([shutdown, over]);
      clearTimeout(timer);
    },
  };
}

interface SpanText {
  readonly name: string;
  readonly attributes: Attributes;
}

function describeServed(served: ServedRequest): SpanText {
  if (served.kind === 'page') {
    const { method, route } = served;
    return {
      name: `${method} ${route}`,
      attributes: { 'http.request.method': method, 'http.route': route },
    };
  }
  const { method, protocol } = served;
  return {
    name: method,
    attributes: { 'rpc.system.name': RPC_SYSTEMS[protocol], 'rpc.method': method },
  };
}

function describeEnd(served: ServedRequest, code: string): Attributes {
  if (served.kind === 'page') return { 'http.response.status_code': Number(code) };
  // gRPC writes its codes large, Connect small.
  const isConnect = served.protocol === 'connect';
  return { 'rpc.response.status_code': isConnect ? code : code.toUpperCase() };
}

/** Of an error its kind alone: messages are for the log. */
function markFailed(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  span.setAttribute('error.type', typeof code === 'string' ? code : '_OTHER');
}

function createSampler({ followsParent, ratio }: SamplerSettings): Sampler {
  const root =
    ratio === 1
      ? new AlwaysOnSampler()
      : ratio === 0
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return followsParent ? new ParentBasedSampler({ root }) : root;
}

function watchExporter(exporter: SpanExporter, onError: (error: unknown) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code !== ExportResultCode.SUCCESS) onError(result.error);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
