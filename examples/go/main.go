// Manages SSO configurations of Claimgate from Go, with connect-go.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	gitpodv1 "example.com/claimgate-example/gen/gitpod/v1"
	"example.com/claimgate-example/gen/gitpod/v1/gitpodv1connect"
)

// region client

// authorize sends the token with every call.
func authorize(token string) connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
			request.Header().Set("Authorization", "Bearer "+token)
			return next(ctx, request)
		}
	}
}

// retry repeats reads while the server is not there. Changes are not repeated: one whose answer was lost may have
// happened.
func retry(attempts int) connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
			for attempt := 1; ; attempt++ {
				response, err := next(ctx, request)
				isRead := request.Spec().IdempotencyLevel == connect.IdempotencyNoSideEffects
				if connect.CodeOf(err) != connect.CodeUnavailable || !isRead || attempt == attempts {
					return response, err
				}
				select {
				case <-time.After(100 * time.Millisecond << attempt):
				case <-ctx.Done():
					return nil, err
				}
			}
		}
	}
}

// endregion

func main() {
	if err := run(os.Getenv("CLAIMGATE_URL"), os.Getenv("CLAIMGATE_TOKEN")); err != nil {
		log.Fatal(err)
	}
}

func run(url, token string) error {
	// region first-call
	// connect-go sends what is left of the context's time to the server, which then gives up too.
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	options := connect.WithInterceptors(retry(4), authorize(token))
	identities := gitpodv1connect.NewIdentityServiceClient(http.DefaultClient, url, options)
	organizations := gitpodv1connect.NewOrganizationServiceClient(http.DefaultClient, url, options)

	identity, err := identities.GetAuthenticatedIdentity(ctx, &gitpodv1.GetAuthenticatedIdentityRequest{})
	if err != nil {
		return err
	}
	organizationID := identity.OrganizationId
	// endregion

	var ids []string
	for _, clientID := range []string{"client-1", "client-2", "client-3"} {
		created, err := organizations.CreateSSOConfiguration(ctx, &gitpodv1.CreateSSOConfigurationRequest{
			OrganizationId:   organizationID,
			IssuerUrl:        "https://idp.example.com",
			ClientId:         clientID,
			ClientSecret:     "what the identity provider has given",
			EmailDomains:     []string{"example.com"},
			AdditionalScopes: []string{"groups"},
			ClaimsExpression: proto.String(`"staff" in claims.groups`),
		})
		if err != nil {
			return err
		}
		ids = append(ids, created.SsoConfiguration.Id)
	}
	fmt.Println("created:", len(ids))

	read := func(id string) (*gitpodv1.SSOConfiguration, error) {
		response, err := organizations.GetSSOConfiguration(ctx, &gitpodv1.GetSSOConfigurationRequest{SsoConfigurationId: id})
		return response.GetSsoConfiguration(), err
	}
	first, err := read(ids[0])
	if err != nil {
		return err
	}
	fmt.Printf("read: %s at %s\n", first.ClientId, first.IssuerUrl)

	// An empty token asks for the first page, and stands on the last one.
	for page, token := 1, ""; page == 1 || token != ""; page++ {
		list, err := organizations.ListSSOConfigurations(ctx, &gitpodv1.ListSSOConfigurationsRequest{
			OrganizationId: organizationID,
			Pagination:     &gitpodv1.PaginationRequest{PageSize: 2, Token: token},
		})
		if err != nil {
			return err
		}
		var names []string
		for _, configuration := range list.SsoConfigurations {
			names = append(names, configuration.ClientId)
		}
		fmt.Printf("page %d: %s\n", page, strings.Join(names, ", "))
		token = list.Pagination.GetNextToken()
	}

	// A field that is absent stays, one that is present is set, and one that is present and empty is cleared.
	updates := []struct {
		name    string
		request *gitpodv1.UpdateSSOConfigurationRequest
	}{
		{"leave", &gitpodv1.UpdateSSOConfigurationRequest{DisplayName: proto.String("Example Ltd")}},
		{"set", &gitpodv1.UpdateSSOConfigurationRequest{
			AdditionalScopes: &gitpodv1.AdditionalScopesUpdate{Scopes: []string{"groups", "offline_access"}},
			ClaimsExpression: proto.String("claims.email_verified"),
		}},
		{"clear", &gitpodv1.UpdateSSOConfigurationRequest{
			AdditionalScopes: &gitpodv1.AdditionalScopesUpdate{},
			ClaimsExpression: proto.String(""),
		}},
	}
	for _, update := range updates {
		update.request.SsoConfigurationId = ids[0]
		if _, err := organizations.UpdateSSOConfiguration(ctx, update.request); err != nil {
			return err
		}
		after, err := read(ids[0])
		if err != nil {
			return err
		}
		scopes := strings.Join(after.AdditionalScopes, " ")
		fmt.Printf("%s: scopes [%s], rule [%s]\n", update.name, scopes, after.ClaimsExpression)
	}

	_, err = organizations.UpdateSSOConfiguration(ctx, &gitpodv1.UpdateSSOConfigurationRequest{
		SsoConfigurationId: ids[0],
		IssuerUrl:          proto.String("not a URL"),
		DisplayName:        proto.String(strings.Repeat("x", 129)),
	})
	if connect.CodeOf(err) != connect.CodeInvalidArgument {
		return fmt.Errorf("the update was not refused as it should be: %w", err)
	}
	violations, _ := findDetail[*validate.Violations](err)
	for _, violation := range violations.GetViolations() {
		fmt.Printf("invalid_argument: %s breaks %s\n", pathOf(violation), violation.GetRuleId())
	}

	for _, id := range ids {
		request := &gitpodv1.DeleteSSOConfigurationRequest{SsoConfigurationId: id}
		if _, err := organizations.DeleteSSOConfiguration(ctx, request); err != nil {
			return err
		}
	}
	fmt.Println("deleted:", len(ids))

	_, err = read(ids[0])
	if connect.CodeOf(err) != connect.CodeNotFound {
		return fmt.Errorf("a deleted configuration is still there: %w", err)
	}
	info, _ := findDetail[*errdetails.ErrorInfo](err)
	fmt.Println("not_found:", info.GetReason())
	return nil
}

// region details

// findDetail finds what the server says of an error beyond its code and its text.
func findDetail[T proto.Message](err error) (found T, ok bool) {
	connectErr := new(connect.Error)
	if !errors.As(err, &connectErr) {
		return found, false
	}
	for _, detail := range connectErr.Details() {
		if message, err := detail.Value(); err == nil {
			if found, ok = message.(T); ok {
				return found, true
			}
		}
	}
	return found, false
}

// pathOf tells which field broke the rule.
func pathOf(violation *validate.Violation) string {
	var names []string
	for _, element := range violation.GetField().GetElements() {
		names = append(names, element.GetFieldName())
	}
	return strings.Join(names, ".")
}

// endregion
