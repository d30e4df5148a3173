package models

import (
	"strings"

	"gorm.io/gorm/schema"
)

// Naming gives tables, indexes and constraints the names that PostgreSQL would give them.
type Naming struct{ schema.NamingStrategy }

// TableName derives a table's name from its model's, in lower case (specification 2.2).
func (Naming) TableName(model string) string { return strings.ToLower(model) }

// RelationshipFKName is <table>_<column>_fkey.
func (Naming) RelationshipFKName(rel schema.Relationship) string {
	table, columns := "", []string{}
	for _, reference := range rel.References {
		table, columns = reference.ForeignKey.Schema.Table, append(columns, reference.ForeignKey.DBName)
	}
	return table + "_" + strings.Join(columns, "_") + "_fkey"
}

// CheckerName is <table>_<column>_check.
func (Naming) CheckerName(table, column string) string { return table + "_" + column + "_check" }

// IndexName is <table>_<column>_idx.
func (n Naming) IndexName(table, column string) string {
	return table + "_" + n.ColumnName(table, column) + "_idx"
}

// UniqueName is <table>_<column>_key.
func (n Naming) UniqueName(table, column string) string {
	return table + "_" + n.ColumnName(table, column) + "_key"
}
