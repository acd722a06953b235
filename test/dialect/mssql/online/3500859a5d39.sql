CREATE TABLE registered_model_aliases (
    alias VARCHAR(256) NOT NULL, 
    version INTEGER NOT NULL, 
    name VARCHAR(256) NOT NULL, 
    CONSTRAINT registered_model_alias_pk PRIMARY KEY (name, alias), 
    CONSTRAINT registered_model_alias_name_fkey FOREIGN KEY(name) REFERENCES registered_models (name) ON DELETE cascade ON UPDATE cascade
);

GO
