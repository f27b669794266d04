// Owns the list of the services whose rules are ours, for tests of what holds for each of their requests.
import { AuditService } from '../../gen/claimgate/v1/audit_pb.ts';
import { LoginAttemptService } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { MemberService } from '../../gen/claimgate/v1/member_pb.ts';
import { SSOConfigurationService } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import { AccountService } from '../../gen/gitpod/v1/account_pb.ts';
import { EventService } from '../../gen/gitpod/v1/event_pb.ts';
import { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserService } from '../../gen/gitpod/v1/user_pb.ts';

export const OUR_SERVICES = [
  AccountService,
  AuditService,
  EventService,
  IdentityService,
  LoginAttemptService,
  MemberService,
  OrganizationService,
  SSOConfigurationService,
  UserService,
];
