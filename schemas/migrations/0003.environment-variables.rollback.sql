DROP TABLE environment_variable;
