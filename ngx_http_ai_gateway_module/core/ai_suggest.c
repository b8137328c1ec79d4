
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_suggest.h"


#define AI_SUGGEST_MAX  64


static size_t ai_suggest_distance(ai_str_t *a, ai_str_t *b, size_t limit);
static u_char ai_suggest_fold(u_char ch);


ai_str_t *
ai_suggest(ai_str_t *name, ai_str_t *candidates, size_t n)
{
    size_t     i, limit, distance;
    ai_str_t  *best;

    if (name->len > AI_SUGGEST_MAX) {
        return NULL;
    }

    limit = name->len <= 4 ? 1 : name->len <= 8 ? 2 : name->len / 3;

    best = NULL;

    for (i = 0; i < n; i++) {

        distance = ai_suggest_distance(name, &candidates[i], limit);

        if (distance > limit) {
            continue;
        }

        best = &candidates[i];

        if (distance == 0) {
            break;
        }

        limit = distance - 1;
    }

    return best;
}


/*
 * Edits that make a of b, a pair of neighbours exchanged counting as one
 * and not edited again; more than limit if they are more
 */

static size_t
ai_suggest_distance(ai_str_t *a, ai_str_t *b, size_t limit)
{
    size_t   i, j, n, least, rows[3][AI_SUGGEST_MAX + 1];
    size_t  *row, *prev, *prev2, *swap;

    n = a->len > b->len ? a->len - b->len : b->len - a->len;

    if (n > limit || b->len > AI_SUGGEST_MAX) {
        return limit + 1;
    }

    row = rows[0];
    prev = rows[1];
    prev2 = rows[2];

    for (j = 0; j <= b->len; j++) {
        prev[j] = j;
        prev2[j] = j;
    }

    for (i = 1; i <= a->len; i++) {

        row[0] = i;
        least = i;

        for (j = 1; j <= b->len; j++) {

            n = prev[j - 1] + (ai_suggest_fold(a->data[i - 1])
                               != ai_suggest_fold(b->data[j - 1]));

            if (prev[j] + 1 < n) {
                n = prev[j] + 1;
            }

            if (row[j - 1] + 1 < n) {
                n = row[j - 1] + 1;
            }

            if (i > 1 && j > 1
                && ai_suggest_fold(a->data[i - 1])
                   == ai_suggest_fold(b->data[j - 2])
                && ai_suggest_fold(a->data[i - 2])
                   == ai_suggest_fold(b->data[j - 1])
                && prev2[j - 2] + 1 < n)
            {
                n = prev2[j - 2] + 1;
            }

            row[j] = n;

            if (n < least) {
                least = n;
            }
        }

        if (least > limit) {
            return limit + 1;
        }

        swap = prev2;
        prev2 = prev;
        prev = row;
        row = swap;
    }

    return prev[b->len];
}


static u_char
ai_suggest_fold(u_char ch)
{
    return (ch >= 'A' && ch <= 'Z') ? ch | 0x20 : ch;
}
