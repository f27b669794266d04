/** Owns the list of the services that we serve, and the limits of their calls. */
import type { ConnectError, ConnectRouter, ConnectRouterOptions } from '@connectrpc/connect';

import { AuditService } from '../../gen/claimgate/v1/audit_pb.ts';
import { LoginAttemptService } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { MemberService } from '../../gen/claimgate/v1/member_pb.ts';
import { SSOConfigurationService } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import { AccountService } from '../../gen/gitpod/v1/account_pb.ts';
import { EventService } from '../../gen/gitpod/v1/event_pb.ts';
import { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserService } from '../../gen/gitpod/v1/user_pb.ts';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { completeError } from './errors.ts';
import { createAuditService } from './audit-service.ts';
import { createEventService } from './event-service.ts';
import { createAccountService } from './account-service.ts';
import { createHealthService } from './health-service.ts';
import type { HealthSource } from './health-service.ts';
import { createIdentityService } from './identity-service.ts';
import { createInterceptor } from './interceptor.ts';
import { createLoginAttemptService } from './login-attempt-service.ts';
import { createMemberService } from './member-service.ts';
import { createOrganizationService } from './organization-service.ts';
import { createReflectionService } from './reflection-service.ts';
import { createRequestGate } from './request-gate.ts';
import type { RequestGateOptions } from './request-gate.ts';
import { describeCall, describeUnserved } from './call-record.ts';
import type { AnsweredCall, ObserveCall } from './call-record.ts';
import { createSsoConfigurationService } from './sso-configuration-service.ts';
import { createUserService } from './user-service.ts';

/** What every call is held to, whichever service it asks; also the conformance suite's (`test-conformance`). */
export const callLimits = {
  /** Of one message, decompressed, in bytes. The largest sensible request has some 20 kB. */
  readMaxBytes: 64 * 1024,
  /** In bytes. A page of 100 configurations, each as large as it may be, stays below. */
  writeMaxBytes: 16 * 1024 * 1024,
  /** The longest that a call may ask to wait, in milliseconds. */
  maxTimeoutMs: 5 * 60 * 1000,
};

/** The published clients read an absent list or string as null, so zero values are written too. */
export const jsonOptions = { alwaysEmitImplicit: true, ignoreUnknownFields: true };

export type RpcOptions = ConnectRouterOptions & {
  readonly routes: (router: ConnectRouter) => void;
  /** Adds to an error that no interceptor saw what `describeError` adds to the others. */
  readonly completeError?: (error: ConnectError) => void;
  /** Told of every unary call, when it has been answered. */
  readonly observeAnswer?: (call: AnsweredCall) => void;
  /** Told of every call of what is not served. */
  readonly observeUnserved?: (call: Parameters<typeof describeUnserved>[0]) => void;
  /** Paths of the methods whose answer lasts as long as its caller listens. */
  readonly endlessPaths: readonly string[];
};

type RpcEnvironment = RequestGateOptions & {
  readonly health: HealthSource;
  /** Whether the schema is told to who asks. */
  readonly publicSchema: boolean;
  /** Told of every call that has been answered. */
  readonly observe: ObserveCall;
  /** Whether it wants to be told of calls that went well: describing one takes 1 µs. */
  readonly observesSuccess: boolean;
};

export function createRpcOptions(options: RpcEnvironment): RpcOptions {
  const { env, observe, observesSuccess, health, publicSchema } = options;
  return {
    ...callLimits,
    jsonOptions,
    requestGate: createRequestGate(options),
    interceptors: [createInterceptor(env, observe)],
    completeError,
    observeAnswer(call) {
      if (observesSuccess || call.error !== undefined) observe(describeCall(call));
    },
    observeUnserved: (call) => observe(describeUnserved(call)),
    endlessPaths: [`/${Health.typeName}/${Health.method.watch.name}`],
    routes(router) {
      router.service(AccountService, createAccountService(env));
      router.service(OrganizationService, createOrganizationService(env));
      router.service(IdentityService, createIdentityService(env));
      router.service(UserService, createUserService(env));
      router.service(EventService, createEventService(env));
      router.service(AuditService, createAuditService(env));
      router.service(LoginAttemptService, createLoginAttemptService(env));
      router.service(MemberService, createMemberService(env));
      router.service(SSOConfigurationService, createSsoConfigurationService(env));

      const own = new Set(router.handlers.map(({ service }) => service));
      router.service(Health, createHealthService(health, [...own]));
      if (!publicSchema) return;
      const reflection = createReflectionService([
        ...own,
        Health,
        ServerReflection,
        ServerReflectionAlpha,
      ]);
      router.service(ServerReflection, reflection);
      router.service(ServerReflectionAlpha, reflection);
    },
  };
}
