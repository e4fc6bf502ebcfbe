/* The binary's subcommands: each parses its own arguments and returns the exit status. */
#ifndef SERVER_COMMAND_H
#define SERVER_COMMAND_H

int command_init(int count, char **arguments);
int command_serve(int count, char **arguments);
int command_verify(int count, char **arguments);
int command_status(int count, char **arguments);
int command_template(int count, char **arguments); /* for the build: in no usage text */

/* "sengi: …" with detail and hint on stderr, from the error that is set; clears it. Returns 1. */
int command_failed(void);

#endif
