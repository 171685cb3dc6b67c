// Where errors go before main, while libraries' own lines are kept back.
int start_errors(void);
