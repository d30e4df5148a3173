package autogenerate

import (
	"strings"
	"time"

	"novamind/migrations"
)

// scenarios are changes of the models of before, one each, and in the last scenario many together.
func scenarios() []scenario {
	all := changesOfTables()
	all = append(all, changesOfColumns()...)
	all = append(all, changesOfIndexes()...)
	all = append(all, changesOfConstraints()...)
	all = append(all, changesOfObjects()...)
	return append(all, manyChanges())
}

func changesOfTables() []scenario {
	type Label struct {
		ID     key     `gorm:"primaryKey"`
		ItemID *key    `gorm:"index"`
		Text   string  `gorm:"not null;default:'none';check:label_text,length(text) < 50"`
		Weight float64 `gorm:"not null"`
	}
	type Pair struct {
		Left  key `gorm:"primaryKey"`
		Right key `gorm:"primaryKey;index"`
	}
	type Rack struct {
		ID   key    `gorm:"primaryKey"`
		Name string `gorm:"not null;uniqueIndex:shelf_name_key"`
	}
	type Thing struct {
		ItemID
		ShelfID key    `gorm:"not null;index:item_shelf_id_idx"`
		Shelf   *Shelf `gorm:"constraint:item_shelf_id_fkey,OnDelete:CASCADE"`
		ItemTitle
		Remark *string `gorm:"index:item_note_idx"`
		ItemCount
		ItemActive
		ItemAt
	}
	itemOf := func() any {
		type Item struct {
			ItemID
			ShelfID key   `gorm:"not null;index"`
			Shelf   *Rack `gorm:"constraint:OnDelete:CASCADE"`
			ItemTitle
			ItemNote
			ItemCount
			ItemActive
			ItemAt
		}
		return &Item{}
	}
	return []scenario{
		{name: "Add a table", models: append(before(), &Label{})},
		{name: "Add a table with a composite key", models: append(before(), &Pair{})},
		{name: "Drop a table", models: before()[:1], extras: map[string]Extras{}, changed: []string{
			"item.id", "item.shelf_id", "item.title", "item.note", "item.count", "item.active", "item.at",
		}},
		{name: "Rename a table", renames: []string{"shelf=rack"}, models: []any{&Rack{}, itemOf()}, extras: instead("AFTER INSERT ON shelf", "AFTER INSERT ON rack")},
		{
			name: "Rename a table and a column of it", renames: []string{"item=thing", "thing.note=remark"}, models: []any{&Shelf{}, &Thing{}},
			extras: instead("ON item ", "ON thing ", "FROM item", "FROM thing", "UPDATE item ", "UPDATE thing ", "TABLE item ", "TABLE thing "),
		},
		{name: "Take the row ids of a table", only: migrations.SQLite, models: before(), extras: withTable(func(e *Extras, _ string) {
			e.Options = map[string]string{"shelf": " WITHOUT ROWID"}
		})},
	}
}

// item is a scenario that changes the model Item alone.
func item(name string, model any, changed ...string) scenario {
	return scenario{name: name, models: []any{&Shelf{}, model}, changed: changed}
}

func changesOfColumns() []scenario {
	return []scenario{
		item("Add a nullable column", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemNote
				ItemCount
				ItemActive
				ItemAt
				Colour *string
			}
			return &Item{}
		}()),
		item("Add a column with a constant default", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemNote
				ItemCount
				ItemActive
				ItemAt
				Colour string `gorm:"not null;default:'red'"`
			}
			return &Item{}
		}()),
		item("Add a column with the time as its default", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemNote
				ItemCount
				ItemActive
				ItemAt
				Seen time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
			}
			return &Item{}
		}()),
		item("Add a column with a foreign key and an index", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemNote
				ItemCount
				ItemActive
				ItemAt
				SpareID *key   `gorm:"index"`
				Spare   *Shelf `gorm:"constraint:OnDelete:SET NULL"`
			}
			return &Item{}
		}()),
		item("Drop a column with its index", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}(), "item.note"),
		item("Change a type", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemNote
				Count string `gorm:"not null;default:'7'"`
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Make a column nullable", func() any {
			type Item struct {
				ItemID
				ItemShelf
				Title *string `gorm:"check:item_title,title <> ''"`
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Make a column not null", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				Note string `gorm:"not null;index:item_note_idx"`
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Make a column not null with a default", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				Note string `gorm:"not null;default:'none';index:item_note_idx"`
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Add a default", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemNote
				ItemCount
				Active bool `gorm:"not null;default:false"`
				ItemAt
			}
			return &Item{}
		}()),
		item("Change a default", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemNote
				Count int64 `gorm:"not null;default:8"`
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Drop a default", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemNote
				Count int64 `gorm:"not null"`
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		{
			name: "Rename a column", renames: []string{"item.note=remark"},
			models: []any{&Shelf{}, func() any {
				type Item struct {
					ItemID
					ItemShelf
					ItemTitle
					Remark *string `gorm:"index:item_note_idx"`
					ItemCount
					ItemActive
					ItemAt
				}
				return &Item{}
			}()},
		},
		{
			name: "Rename a column by its tag",
			models: []any{&Shelf{}, func() any {
				type Item struct {
					ItemID
					ItemShelf
					ItemTitle
					ItemNote
					Amount int64 `gorm:"not null;default:7" migrate:"was=count"`
					ItemActive
					ItemAt
				}
				return &Item{}
			}()},
			extras: instead("count = count", "amount = amount"),
		},
		{
			name: "Replace a column by one of its type", gone: []string{"item.note"}, changed: []string{"item.note"},
			models: []any{&Shelf{}, func() any {
				type Item struct {
					ItemID
					ItemShelf
					ItemTitle
					Colour *string
					ItemCount
					ItemActive
					ItemAt
				}
				return &Item{}
			}()},
		},
	}
}

func changesOfIndexes() []scenario {
	return []scenario{
		item("Add an index", func() any {
			type Item struct {
				ItemID
				ItemShelf
				Title string `gorm:"not null;check:item_title,title <> '';index"`
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Add a unique index", func() any {
			type Item struct {
				ItemID
				ItemShelf
				Title string `gorm:"not null;check:item_title,title <> '';uniqueIndex"`
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Add a descending index", func() any {
			type Item struct {
				ItemID
				ItemShelf
				Title string `gorm:"not null;check:item_title,title <> '';index:,sort:desc"`
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Add a partial index", func() any {
			type Item struct {
				ItemID
				ItemShelf
				Title string `gorm:"not null;check:item_title,title <> '';index:item_title_idx,where:active"`
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Add an expression index", func() any {
			type Item struct {
				ItemID
				ItemShelf
				Title string `gorm:"not null;check:item_title,title <> '';index:item_title_idx,expression:lower(title)"`
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Add a column to an index", func() any {
			type Item struct {
				ItemID
				ItemShelf
				Title string `gorm:"not null;check:item_title,title <> '';index:item_note_idx,priority:20"`
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Drop an index", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				Note *string
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Make an index unique", func() any {
			type Item struct {
				ID key `gorm:"primaryKey;uniqueIndex:item_note_idx,priority:20"`
				ItemShelf
				ItemTitle
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
	}
}

func changesOfConstraints() []scenario {
	return []scenario{
		item("Drop a foreign key", func() any {
			type Item struct {
				ItemID
				ShelfID key `gorm:"not null;index"`
				ItemTitle
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Change the action of a foreign key", func() any {
			type Item struct {
				ItemID
				ShelfID key    `gorm:"not null;index"`
				Shelf   *Shelf `gorm:"constraint:OnDelete:RESTRICT"`
				ItemTitle
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Add a foreign key to a column", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				Note  *string `gorm:"index:item_note_idx"`
				Noted *Shelf  `gorm:"foreignKey:Note;references:ID;constraint:OnDelete:SET NULL"`
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Add a check", func() any {
			type Item struct {
				ItemID
				ItemShelf
				ItemTitle
				ItemNote
				Count int64 `gorm:"not null;default:7;check:item_count,count >= 0"`
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Change a check", func() any {
			type Item struct {
				ItemID
				ItemShelf
				Title string `gorm:"not null;check:item_title,title <> '' AND title <> 'none'"`
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		item("Drop a check", func() any {
			type Item struct {
				ItemID
				ItemShelf
				Title string `gorm:"not null"`
				ItemNote
				ItemCount
				ItemActive
				ItemAt
			}
			return &Item{}
		}()),
		{name: "Add a check that differs by engine", models: before(), extras: withTable(func(e *Extras, engine string) {
			e.Constraints = map[string][]string{"item": {"CONSTRAINT item_note_short CHECK (COALESCE(" + map[string]string{
				migrations.Postgres: "note ~ '^[a-z0-9 ]+$'", migrations.SQLite: "note NOT GLOB '*[^a-z0-9 ]*'",
			}[engine] + ", true))"}}
		})},
		{name: "Add an exclusion constraint", only: migrations.Postgres, models: before(), extras: more(
			"CREATE EXTENSION btree_gist; ALTER TABLE item ADD CONSTRAINT item_alone "+
				"EXCLUDE USING gist (title WITH =, int8range(count, count + 1) WITH &&) WHERE (active);", "",
		)},
	}
}

func changesOfObjects() []scenario {
	const view = "CREATE VIEW lively AS SELECT id FROM item WHERE active;"
	return []scenario{
		{name: "Add a trigger", models: before(), extras: more(
			"CREATE TRIGGER shelf_kept BEFORE DELETE ON shelf FOR EACH ROW WHEN (OLD.name = 'x') EXECUTE FUNCTION item_kept();",
			"CREATE TRIGGER shelf_kept BEFORE DELETE ON shelf WHEN OLD.name = 'kept' BEGIN SELECT RAISE(ABORT, 'kept'); END;",
		)},
		{name: "Change a trigger", models: before(), extras: instead("BEFORE DELETE ON item", "AFTER DELETE ON item")},
		{name: "Drop triggers, a function and a view", models: before(), extras: map[string]Extras{}},
		{name: "Add a view", models: before(), extras: more(view, view)},
		{name: "Change a view", models: before(), extras: instead("SELECT id, title FROM item", "SELECT id, title, note FROM item")},
		{name: "Bind a function to the schema", only: migrations.Postgres, models: before(), extras: more(
			"DO $$ BEGIN EXECUTE format('ALTER FUNCTION item_kept() SET search_path = pg_catalog, %I, pg_temp', current_schema()); END $$;", "",
		)},
		{name: "Change a function", only: migrations.Postgres, models: before(), extras: instead("RAISE EXCEPTION 'kept'", "RAISE EXCEPTION 'stays'")},
	}
}

func manyChanges() scenario {
	type Item struct {
		ItemID
		ShelfID key     `gorm:"not null;index"`
		Shelf   *Shelf  `gorm:"constraint:OnDelete:RESTRICT"`
		Name    string  `gorm:"not null;index;check:item_name,length(name) > 1"`
		Note    *string `gorm:"uniqueIndex:item_note_key,where:note = 'x'"`
		Count   string  `gorm:"not null;default:'none'"`
		At      *time.Time
		Colour  string `gorm:"not null;default:'red';check:item_colour,colour <> 'blue'"`
	}
	type Label struct {
		ID     key   `gorm:"primaryKey"`
		ItemID key   `gorm:"not null;index"`
		Item   *Item `gorm:"constraint:OnDelete:CASCADE"`
	}
	return scenario{
		name: "Change many things", renames: []string{"item.title=name"}, changed: []string{"item.active"}, models: []any{&Shelf{}, &Item{}, &Label{}},
		extras: instead("OLD.title", "OLD.name", "id, title FROM", "id, name FROM"),
	}
}

// withTable returns the schema objects of before, changed on each engine by change.
func withTable(change func(e *Extras, engine string)) map[string]Extras {
	out := more("", "")
	for engine, e := range out {
		change(&e, engine)
		out[engine] = e
	}
	return out
}

// instead returns the schema objects of before with replacements, in pairs.
func instead(pairs ...string) map[string]Extras {
	return withTable(func(e *Extras, _ string) { e.Script = strings.NewReplacer(pairs...).Replace(e.Script) })
}
