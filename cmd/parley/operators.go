package main

import (
	"cmp"
	"context"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/chat"
)

// operators finds out for whom a client acts that brings an API key, or the token of somebody who has signed in to the portal, and
// notes that it was used where it was.
func operators(accounts *account.Service) func(ctx context.Context, token string, used bool) (chat.Operator, error) {
	return func(ctx context.Context, token string, used bool) (chat.Operator, error) {
		byKey, member := accounts.PeekAPIKey, accounts.PeekMember
		if used {
			byKey, member = accounts.OrganisationByAPIKey, accounts.MemberByToken
		}
		org, key, err := byKey(ctx, token)
		if err == nil {
			if err := key.Require(domain.ScopeWrite); err != nil {
				return chat.Operator{}, err
			}
			return chat.Operator{OrgID: org.ID, ExternalID: "parley:key:" + string(key.ID), Name: cmp.Or(key.Name, "API")}, nil
		}
		if domain.KindOf(err) != domain.Unauthenticated {
			return chat.Operator{}, err
		}
		m, err := member(ctx, token)
		return chat.Operator{OrgID: m.Organisation.ID, ExternalID: "parley:user:" + string(m.User.ID), Name: m.User.Name}, err
	}
}
