// Package sqlite3 stands in for github.com/mattn/go-sqlite3, which gorm.io/driver/sqlite imports only to register
// a driver that needs a C compiler. The program uses modernc.org/sqlite instead.
package sqlite3
