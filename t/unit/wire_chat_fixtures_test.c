
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Recorded answers of chat/completions, and recorded requests: what the
 * decoder tells is what a tree of cJSON has in it, and a body that went
 * through the neutral request says what it said.
 */


#include <cjson/cJSON.h>
#include <dirent.h>

#include "ai_wire.h"
#include "unit.h"


#define CHOICES  4


/* what was said in a choice, all pieces in a row */

typedef struct {
    char        *data;
    size_t       len;
} said_t;

typedef struct {
    said_t       text[CHOICES];
    said_t       thought[CHOICES];
    said_t       refusal[CHOICES];
    said_t       args[CHOICES];
    said_t       names[CHOICES];
    said_t       finish[CHOICES];
    uint64_t     input;
    uint64_t     output;
    ai_uint_t    error;
} answer_t;


static const char  *root = "../shared/fixtures";
static unsigned     answers, requests;


static void
say(said_t *s, const void *data, size_t len)
{
    if (len != 0) {
        s->data = realloc(s->data, s->len + len);
        memcpy(s->data + s->len, data, len);
        s->len += len;
    }
}


static void
say_json(said_t *s, const cJSON *v)
{
    if (cJSON_IsString(v)) {
        say(s, v->valuestring, strlen(v->valuestring));
    }
}


static void
forget(answer_t *a)
{
    unsigned  i;

    for (i = 0; i < CHOICES; i++) {
        free(a->text[i].data);
        free(a->thought[i].data);
        free(a->refusal[i].data);
        free(a->args[i].data);
        free(a->names[i].data);
        free(a->finish[i].data);
    }
}


static const cJSON *
get(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object)
           ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}


static uint64_t
count(const cJSON *object, const char *name)
{
    const cJSON  *v;

    v = get(object, name);

    return cJSON_IsNumber(v) ? (uint64_t) v->valuedouble : 0;
}


static ai_uint_t
filled(const cJSON *v)
{
    return cJSON_IsString(v) && v->valuestring[0] != '\0';
}


static void
oracle_usage(answer_t *a, const cJSON *u)
{
    uint64_t  reasoning;

    if (!cJSON_IsNumber(get(u, "prompt_tokens"))) {
        return;
    }

    a->input = count(u, "prompt_tokens");
    a->output = count(u, "completion_tokens");

    reasoning = count(get(u, "completion_tokens_details"),
                      "reasoning_tokens");

    if (count(u, "total_tokens") == a->input + a->output + reasoning) {
        a->output += reasoning;
    }
}


static void
oracle_message(answer_t *a, unsigned n, const cJSON *m)
{
    char         *raw;
    size_t        before;
    const cJSON  *v, *part, *inner;

    before = a->thought[n].len;

    cJSON_ArrayForEach(part, get(m, "reasoning_details")) {
        say_json(&a->thought[n], get(part, "text"));
        say_json(&a->thought[n], get(part, "summary"));
    }

    if (a->thought[n].len == before) {
        say_json(&a->thought[n], filled(get(m, "reasoning_content"))
                                 ? get(m, "reasoning_content")
                                 : get(m, "reasoning"));
    }

    v = get(m, "content");

    if (cJSON_IsObject(v)) {
        raw = cJSON_PrintUnformatted(v);
        say(&a->text[n], raw, strlen(raw));
        free(raw);
    }

    say_json(&a->text[n], v);
    say_json(&a->refusal[n], get(m, "refusal"));

    cJSON_ArrayForEach(part, (cJSON_IsArray(v) ? v : NULL)) {
        say_json(&a->text[n], get(part, "text"));
        say_json(&a->thought[n], get(part, "thinking"));

        cJSON_ArrayForEach(inner, get(part, "thinking")) {
            say_json(&a->thought[n], get(inner, "text"));
        }
    }

    cJSON_ArrayForEach(part, get(m, "tool_calls")) {
        say_json(&a->names[n], get(get(part, "function"), "name"));
        say_json(&a->args[n], get(get(part, "function"), "arguments"));
    }

    say_json(&a->names[n], get(get(m, "function_call"), "name"));
    say_json(&a->args[n], get(get(m, "function_call"), "arguments"));
}


static void
oracle(answer_t *a, const cJSON *doc, ai_uint_t whole)
{
    uint64_t      n;
    const cJSON  *choice, *m;

    if (cJSON_IsObject(get(doc, "error"))) {
        a->error = 1;
        return;
    }

    oracle_usage(a, get(get(doc, "x_groq"), "usage"));
    oracle_usage(a, get(doc, "usage"));

    cJSON_ArrayForEach(choice, get(doc, "choices")) {
        n = count(choice, "index");

        if (n >= CHOICES) {
            continue;
        }

        m = get(choice, "delta");
        oracle_message(a, (unsigned) n,
                       whole || m == NULL ? get(choice, "message") : m);
        say_json(&a->finish[n], get(choice, "finish_reason"));
    }
}


static ai_int_t
told(void *data, const ai_delta_t *d)
{
    said_t     *s;
    ai_str_t    str;
    answer_t   *a;
    ai_mstr_t   m;

    a = data;
    m = d->text;

    if (d->type == AI_DELTA_USAGE) {
        a->input = ai_usage_input(&d->usage);
        a->output = d->usage.output;
        return AI_OK;
    }

    if (d->type == AI_DELTA_ERROR) {
        a->error = 1;
        return AI_OK;
    }

    if (d->choice >= CHOICES) {
        return AI_OK;
    }

    switch (d->type) {

    case AI_DELTA_TEXT:
        s = &a->text[d->choice];
        break;

    case AI_DELTA_REASONING:
        s = &a->thought[d->choice];
        break;

    case AI_DELTA_REFUSAL:
        s = &a->refusal[d->choice];
        break;

    case AI_DELTA_ARGS:
        s = &a->args[d->choice];
        break;

    case AI_DELTA_CALL:
        s = &a->names[d->choice];
        m = d->name;
        break;

    case AI_DELTA_FINISH:
        s = &a->finish[d->choice];
        m = d->native;
        break;

    default:
        return AI_OK;
    }

    if (ai_mstr_decode(&m, &unit_arena, &str) != AI_OK) {
        return AI_ERROR;
    }

    say(s, str.data, str.len);

    return AI_OK;
}


static ai_uint_t
same(const said_t *a, const said_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


static void
compare(const char *file, const answer_t *got, const answer_t *want)
{
    unsigned   i;
    ai_uint_t  ok;

    ok = got->error == want->error;

    for (i = 0; i < CHOICES && !want->error; i++) {
        ok &= same(&got->text[i], &want->text[i])
              && same(&got->thought[i], &want->thought[i])
              && same(&got->refusal[i], &want->refusal[i])
              && same(&got->args[i], &want->args[i])
              && same(&got->names[i], &want->names[i])
              && same(&got->finish[i], &want->finish[i]);
    }

    if (!want->error) {
        ok &= got->input == want->input && got->output == want->output;
    }

    if (!CHECK(ok)) {
        printf("    %s: %zu/%zu bytes of text, %zu/%zu of thoughts, "
               "%zu/%zu of arguments, usage %llu>%llu / %llu>%llu\n", file,
               got->text[0].len, want->text[0].len, got->thought[0].len,
               want->thought[0].len, got->args[0].len, want->args[0].len,
               (unsigned long long) got->input,
               (unsigned long long) got->output,
               (unsigned long long) want->input,
               (unsigned long long) want->output);
    }
}


static void
decoder(ai_decode_t *d, answer_t *got, ai_uint_t whole)
{
    memset(d, 0, sizeof(ai_decode_t));

    d->wire = &ai_wire_chat;
    d->vendor = ai_vendor_generic(&ai_dialect_openai);
    d->op = AI_OP_CHAT;
    d->alloc = &unit_arena;
    d->scratch = &unit_arena;
    d->emit = told;
    d->data = got;
    d->document = whole != 0;
    d->state = ai_alloc(&unit_arena, ai_wire_chat.decode_size);

    memset(d->state, 0, ai_wire_chat.decode_size);
}


/* one document to both; 0: it is none that either could read */

static ai_uint_t
feed(ai_decode_t *d, answer_t *got, answer_t *want, const char *json)
{
    cJSON            *doc;
    u_char           *p;
    ai_str_t          none;
    ai_json_t         v;
    ai_json_error_t   err;

    p = unit_bytes(json, strlen(json));

    if (ai_json_scan(p, strlen(json), NULL, &unit_arena, NULL, NULL, &v,
                     &err)
        != AI_OK
        || v.type != AI_JSON_OBJECT)
    {
        return 0;
    }

    if (got->error) {
        return 1;
    }

    doc = cJSON_Parse(json);
    oracle(want, doc, d->document);
    cJSON_Delete(doc);

    ai_str_set(&none, "");

    if (d->document) {
        return ai_wire_chat.parse_response(d, &v) == AI_OK;
    }

    CHECK_INT(ai_wire_chat.parse_event(d, &none, &v), AI_OK);

    return 1;
}


static void
test_stream(const char *file, char *data)
{
    char         *line;
    answer_t      got, want;
    ai_decode_t   d;

    memset(&got, 0, sizeof(answer_t));
    memset(&want, 0, sizeof(answer_t));

    decoder(&d, &got, 0);

    for (line = strtok(data, "\r\n"); line; line = strtok(NULL, "\r\n")) {
        line += strspn(line, " ");

        if (strncmp(line, "data:", 5) == 0) {
            line += 5;
        }

        (void) feed(&d, &got, &want, line);
    }

    CHECK_INT(ai_wire_chat.parse_end(&d), AI_OK);

    compare(file, &got, &want);
    answers++;

    forget(&got);
    forget(&want);
}


static void
test_document(const char *file, const cJSON *body)
{
    char         *json;
    answer_t      got, want;
    ai_decode_t   d;

    if (!cJSON_IsArray(get(body, "choices"))) {
        return;
    }

    memset(&got, 0, sizeof(answer_t));
    memset(&want, 0, sizeof(answer_t));

    decoder(&d, &got, 1);

    json = cJSON_PrintUnformatted(body);

    if (feed(&d, &got, &want, json)) {
        compare(file, &got, &want);
        answers++;
    }

    free(json);
    forget(&got);
    forget(&want);
}


/* what the assistant called and what was asked, to see whether all is there */

static void
request_words(said_t *s, const cJSON *body)
{
    const cJSON  *m, *v, *part;

    cJSON_ArrayForEach(m, get(body, "messages")) {

        v = get(m, "content");

        if (filled(v)) {
            say_json(s, v);
        }

        cJSON_ArrayForEach(part, (cJSON_IsArray(v) ? v : NULL)) {
            say_json(s, get(part, "text"));
        }

        cJSON_ArrayForEach(part, get(m, "tool_calls")) {
            say_json(s, get(get(part, "function"), "name"));

            v = get(get(part, "function"), "arguments");

            if (filled(v)) {
                say_json(s, v);

            } else {
                say(s, "{}", 2);
            }
        }

        v = get(m, "function_call");
        say_json(s, get(v, "name"));
        say_json(s, get(v, "arguments"));
    }
}


/* "\n\n" stands between what was joined */

static void
squeeze(said_t *s)
{
    size_t  i, n;

    for (i = 0, n = 0; i < s->len; i++) {

        if (s->data[i] != '\n') {
            s->data[n++] = s->data[i];
        }
    }

    s->len = n;
}


static void
request_tools(said_t *s, const cJSON *body)
{
    char         *raw;
    const cJSON  *tool, *f;

    cJSON_ArrayForEach(tool, get(body, "functions")) {
        say_json(s, get(tool, "name"));
    }

    cJSON_ArrayForEach(tool, get(body, "tools")) {
        f = get(tool, "function");

        if (f == NULL) {
            continue;
        }

        say_json(s, get(f, "name"));
        say_json(s, get(f, "description"));

        if (cJSON_GetArraySize(get(f, "parameters")) != 0
            && get(body, "functions") == NULL)
        {
            raw = cJSON_PrintUnformatted(get(f, "parameters"));
            say(s, raw, strlen(raw));
            free(raw);
        }
    }
}


static void
test_request(const char *file, const cJSON *body)
{
    char             *json;
    cJSON            *sent;
    said_t            said[2], tools[2];
    ai_int_t          rc;
    ai_buf_t          out;
    ai_json_t         v;
    ai_report_t       rep;
    ai_target_t       t;
    ai_request_t      req;
    ai_json_error_t   err;

    if (!cJSON_IsArray(get(body, "messages"))
        || get(body, "functions") != NULL)
    {
        return;
    }

    json = cJSON_PrintUnformatted(body);

    if (!CHECK_INT(ai_json_scan((u_char *) json, strlen(json), NULL,
                                &unit_arena, NULL, NULL, &v, &err), AI_OK))
    {
        free(json);
        return;
    }

    memset(&t, 0, sizeof(ai_target_t));

    t.vendor = ai_vendor_generic(&ai_dialect_openai);
    ai_str_set(&t.model, "m");

    ai_request_init(&req, &unit_arena);
    ai_report_init(&rep, &unit_arena);
    ai_buf_init(&out, &unit_arena, 64 * 1024 * 1024);

    rc = ai_wire_chat.parse_request(&req, &v, &rep);

    if (rc == AI_OK) {
        CHECK_INT(ai_request_normalize(&req, &rep), AI_OK);
        rc = ai_wire_chat.render_request(&req, &t, &out, &rep);
    }

    if (rc == AI_DECLINED) {
        free(json);
        return;
    }

    if (CHECK_INT(rc, AI_OK)) {
        sent = cJSON_ParseWithLength((char *) out.start, ai_buf_len(&out));
        CHECK(sent != NULL);

        memset(said, 0, sizeof(said));
        memset(tools, 0, sizeof(tools));

        request_words(&said[0], body);
        request_words(&said[1], sent);
        request_tools(&tools[0], body);
        request_tools(&tools[1], sent);

        squeeze(&said[0]);
        squeeze(&said[1]);

        if (!CHECK(same(&said[0], &said[1]))
            || !CHECK(same(&tools[0], &tools[1])))
        {
            printf("    %s: %zu bytes were said, %zu were sent\n", file,
                   said[0].len, said[1].len);
        }

        requests++;

        free(said[0].data);
        free(said[1].data);
        free(tools[0].data);
        free(tools[1].data);
        cJSON_Delete(sent);
    }

    free(json);
}


static void
test_file(const char *dir, const char *name)
{
    char         *data, path[1024];
    long          size;
    FILE         *f;
    cJSON        *doc;
    const char   *ext;
    const cJSON  *status;

    ext = strrchr(name, '.');
    snprintf(path, sizeof(path), "%s/%s/chat/%s", root, dir, name);

    f = ext ? fopen(path, "rb") : NULL;

    if (f == NULL) {
        return;
    }

    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);

    data = malloc((size_t) size + 1);

    if (data == NULL || fread(data, 1, (size_t) size, f) != (size_t) size) {
        abort();
    }

    data[size] = '\0';
    fclose(f);

    if (strcmp(ext, ".sse") == 0 || strcmp(ext, ".ndjson") == 0) {
        test_stream(path, data);

    } else if (strcmp(ext, ".json") == 0) {
        doc = cJSON_Parse(data);
        status = get(get(doc, "response"), "status");

        if (get(doc, "request") != NULL) {
            test_request(path, get(get(doc, "request"), "body"));
        }

        if (status == NULL || status->valuedouble == 200) {
            test_document(path, get(doc, "response") != NULL
                                ? get(get(doc, "response"), "body") : doc);
        }

        cJSON_Delete(doc);
    }

    free(data);
    unit_arena_reset();
}


static void
test_fixtures(void)
{
    DIR            *top, *dir;
    char            path[1024];
    struct dirent  *vendor, *file;

    top = opendir(root);

    while ((vendor = readdir(top)) != NULL) {

        /* Cohere's and Bedrock's own are of another dialect */

        if (vendor->d_name[0] == '.' || vendor->d_name[0] == '_'
            || strcmp(vendor->d_name, "cohere") == 0
            || strcmp(vendor->d_name, "bedrock") == 0)
        {
            continue;
        }

        snprintf(path, sizeof(path), "%s/%s/chat", root, vendor->d_name);

        dir = opendir(path);

        if (dir == NULL) {
            continue;
        }

        while ((file = readdir(dir)) != NULL) {
            if (file->d_name[0] != '.') {
                test_file(vendor->d_name, file->d_name);
            }
        }

        closedir(dir);
    }

    closedir(top);

    CHECK(answers > 500 && requests > 500);
}


int
main(void)
{
    DIR  *dir;

    dir = opendir(root);

    if (dir == NULL) {
        printf("skipped: no %s\n", root);
        return 0;
    }

    closedir(dir);

    UNIT_RUN(test_fixtures);

    printf("%u answers, %u requests\n", answers, requests);

    return unit_done();
}
