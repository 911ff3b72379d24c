#include <stdio.h>

#include "eval.h"
#include "expr.h"
#include "version.h"

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "calc %s, usage: calc EXPRESSION\n", CALC_VERSION);
    return 2;
  }
  struct expr *expr = expr_parse(argv[1]);
  long value = 0;
  const char *error = expr ? eval(expr, &value) : "not an expression";
  if (error)
    printf("%s\n", error);
  else
    printf("%ld\n", value);
  expr_free(expr);
  return error != 0;
}
