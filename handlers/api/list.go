package api

import (
	"cmp"
	"slices"

	"github.com/parley-chat/parley/domain"
)

const maxPage = 100

// Paging is how every list is asked for.
type Paging struct {
	Cursor string `query:"cursor" doc:"The next_cursor of the page before; without one the list begins."`
	Limit  int    `query:"limit" minimum:"1" default:"50" doc:"How many to give at most. More than 100 counts as 100."`
}

func (p Paging) limit() int { return min(p.Limit, maxPage) }

// List is one page of a list.
type List[T any] struct {
	Items      []T     `json:"items" doc:"This page."`
	NextCursor *string `json:"next_cursor" nullable:"true" doc:"Give it as cursor to get the next page; null at the end." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
}

// list shows one page and says where the next begins; an empty cursor is the end.
func list[D, T any](ds []D, show func(D) T, next string) *Answer[List[T]] {
	items := make([]T, 0, len(ds))
	for _, d := range ds {
		items = append(items, show(d))
	}
	l := List[T]{Items: items}
	if next != "" {
		l.NextCursor = &next
	}
	return &Answer[List[T]]{l}
}

// page cuts a page out of all there is, in the order in which it was made, which is that of UUIDv7s: whatever is made or
// deleted meanwhile, nothing comes twice or is passed over. The cursor is the last id given.
func page[D any, ID ~string](all []D, id func(D) ID, p Paging) (ds []D, next string, err error) {
	byID := func(a, b D) int { return cmp.Compare(id(a), id(b)) }
	ds = slices.SortedFunc(slices.Values(all), byID)
	if p.Cursor != "" {
		if _, err := domain.ParseID[ID](p.Cursor); err != nil {
			return nil, "", badCursor()
		}
		at, found := slices.BinarySearchFunc(ds, ID(p.Cursor), func(d D, c ID) int { return cmp.Compare(id(d), c) })
		if found {
			at++
		}
		ds = ds[at:]
	}
	if limit := p.limit(); len(ds) > limit {
		ds = ds[:limit]
		next = string(id(ds[limit-1]))
	}
	return ds, next, nil
}

func badCursor() error { return domain.InvalidField("cursor", "is not one that a list has given") }
