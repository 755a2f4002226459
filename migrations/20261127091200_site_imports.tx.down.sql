DROP TABLE site_imports;
