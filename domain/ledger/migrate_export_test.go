package ledger

// The migrator with migrations of the tests' own.
var (
	MigrateUpFrom      = migrateUp
	MigrateDownFrom    = migrateDown
	MigrationsStatus   = migrationStatus
	CheckSchemaAgainst = checkSchema
)
