
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The neutral request: the one order of its messages, and what goes with it.
 */


#include "ai_wire.h"
#include "unit.h"


static ai_request_t  req;
static ai_report_t   rep;


static ai_str_t
str(const char *s)
{
    ai_str_t  r;

    r.len = strlen(s);
    r.data = unit_bytes(s, r.len);

    return r;
}


static ai_mstr_t
plain(const char *s)
{
    ai_str_t  r;

    r = str(s);

    return ai_mstr_plain(&r);
}


static ai_mstr_t
escaped(const char *s)
{
    ai_mstr_t  m;

    m = plain(s);
    m.json = 1;

    return m;
}


/*
 * A conversation in a few letters, a word per part: "s:" system, "d:"
 * developer, "u:" user, "a:" assistant, "t:" tool begin a message; then
 * "text" is a text, "''" an empty one, "+id" or "+id/name" a call, "=id" or
 * "=id/name" its result, "!id" one that is an error, "~state" a reasoning.
 * The text of a result is "r-" and all after a "#", or nothing.
 */

static void
word(ai_message_t *m, const char *w, size_t len)
{
    char        buf[64], *name, *text;
    ai_part_t  *part;

    memcpy(buf, w, len);
    buf[len] = '\0';

    text = strchr(buf, '#');
    if (text != NULL) {
        *text++ = '\0';
    }

    name = strchr(buf, '/');
    if (name != NULL) {
        *name++ = '\0';
    }

    switch (buf[0]) {

    case '+':
        part = ai_message_part(&req, m, AI_PART_CALL);
        part->id = plain(buf + 1);
        part->name = plain(name ? name : "f");
        break;

    case '=':
    case '!':
        part = ai_message_part(&req, m, AI_PART_RESULT);
        part->id = plain(buf + 1);
        part->is_error = (buf[0] == '!');

        if (name != NULL) {
            part->name = plain(name);
        }

        if (text != NULL) {
            part->content = ai_part_create(&unit_arena, AI_PART_TEXT);
            part->content->text = plain(text);
        }

        break;

    case '~':
        part = ai_message_part(&req, m, AI_PART_REASONING);

        if (buf[1] != '\0') {
            part->state_kind = AI_STATE_GOOGLE;
            part->state = plain(buf + 1);
        }

        break;

    default:
        part = ai_message_part(&req, m, AI_PART_TEXT);
        part->text = plain(strcmp(buf, "''") == 0 ? "" : buf);
    }
}


static void
read_words(const char *s)
{
    size_t         len;
    ai_message_t  *m;

    ai_request_init(&req, &unit_arena);
    ai_report_init(&rep, &unit_arena);

    m = NULL;

    for ( /* void */ ; *s != '\0'; s += len) {
        len = strcspn(s, " ");

        if (len == 0) {
            len = 1;
            continue;
        }

        if (len == 2 && s[1] == ':') {
            m = ai_request_message(&req, s[0] == 's' ? AI_ROLE_SYSTEM
                                         : s[0] == 'd' ? AI_ROLE_DEVELOPER
                                         : s[0] == 'u' ? AI_ROLE_USER
                                         : s[0] == 'a' ? AI_ROLE_ASSISTANT
                                         : AI_ROLE_TOOL);
            continue;
        }

        word(m, s, len);
    }
}


static void
write_part(ai_buf_t *b, ai_part_t *part)
{
    switch (part->type) {

    case AI_PART_CALL:
        ai_buf_lit(b, " +");
        ai_buf_plain(b, &part->id);
        break;

    case AI_PART_RESULT:
        ai_buf_cstr(b, part->is_error ? " !" : " =");
        ai_buf_plain(b, &part->id);
        ai_buf_lit(b, "/");
        ai_buf_plain(b, &part->name);

        if (part->content != NULL) {
            ai_buf_lit(b, "#");
            ai_buf_plain(b, &part->content->text);
        }

        break;

    case AI_PART_REASONING:
        ai_buf_lit(b, " ~");
        ai_buf_plain(b, &part->state);
        break;

    default:
        ai_buf_lit(b, " ");
        ai_buf_plain(b, &part->text);
    }
}


static ai_str_t
write_words(void)
{
    ai_buf_t       b;
    ai_str_t       s;
    ai_part_t     *part;
    ai_message_t  *m;

    ai_buf_init(&b, &unit_arena, 1024 * 1024);

    for (m = req.messages; m != NULL; m = m->next) {
        ai_buf_cstr(&b, m == req.messages ? "" : " ");
        ai_buf_put(&b, &"sduat"[m->role], 1);
        ai_buf_lit(&b, ":");

        for (part = m->parts; part != NULL; part = part->next) {
            write_part(&b, part);
        }
    }

    CHECK_INT(ai_buf_get(&b, &s), AI_OK);

    return s;
}


static void
normal(const char *from, const char *to)
{
    ai_str_t  s;
    unsigned  before;

    before = unit.failed;

    read_words(from);
    CHECK_INT(ai_request_normalize(&req, &rep), AI_OK);

    s = write_words();
    CHECK_MEM(s.data, s.len, to, strlen(to));

    /* it is in order then */

    CHECK_INT(ai_request_normalize(&req, &rep), AI_OK);

    s = write_words();
    CHECK_MEM(s.data, s.len, to, strlen(to));

    /* lists end where they say that they do */

    CHECK(*req.last == NULL);
    CHECK(ai_request_message(&req, AI_ROLE_USER) != NULL);

    if (unit.failed != before) {
        printf("    for \"%s\"\n", from);
    }
}


#define LOST  "#No result was given for this call."


static void
test_roles(void)
{
    normal("", "");
    normal("u: hi", "u: hi");
    normal("s: a s: b u: c u: d a: e a: f u: g",
           "s: a s: b u: c d a: e f u: g");
    normal("s: a b d: c d: d u: e s: f u: g",
           "s: a b d: c d: d u: e s: f u: g");
    normal("u: '' hi a: '' u: there", "u: hi there");
    normal("u: a: u:", "");
    normal("s: '' u: x", "u: x");
    normal("u: a a: ~ ~sig b", "u: a a: ~sig b");
    normal("u: a t: b u: c", "u: a b c");
}


static void
test_results(void)
{
    normal("u: q a: +1/f +2/g t: =1#x t: =2#y u: ok",
           "u: q a: +1 +2 t: =1/f#x =2/g#y u: ok");

    /* the order is that of the calls */

    normal("u: q a: +1/f +2/g t: =2#y =1#x",
           "u: q a: +1 +2 t: =1/f#x =2/g#y");

    /* within turns of the user, what is said comes after them */

    normal("u: q a: say +1 +2 u: hm =1#x u: go =2#y on a: done",
           "u: q a: say +1 +2 t: =1/f#x =2/f#y u: hm go on a: done");

    /* over several turns, the assistant talking in between */

    normal("u: q a: +1 +2 u: =1#x a: wait u: =2#y",
           "u: q a: +1 +2 t: =1/f#x =2/f#y a: wait");

    normal("u: q a: +1 t: =1#x a: +2 t: =2#y a: end",
           "u: q a: +1 t: =1/f#x a: +2 t: =2/f#y a: end");

    /* calls one by one are one turn */

    normal("u: q a: +1 a: +2 t: =1 t: =2", "u: q a: +1 +2 t: =1/f =2/f");

    /* a system message in between */

    normal("u: q a: +1 s: note t: =1#x", "u: q a: +1 t: =1/f#x s: note");

    normal("u: q a: +1 t: !1#bad", "u: q a: +1 t: !1/f#bad");
    normal("u: q a: +1 u: =1# go", "u: q a: +1 t: =1/f u: go");
    normal("u: q a: ~sig +1 t: =1 a: ~ ~x +2",
           "u: q a: ~sig +1 t: =1/f a: ~x +2");
}


static void
test_no_result(void)
{
    normal("u: q a: +1 u: never mind",
           "u: q a: +1 t: !1/f" LOST " u: never mind");

    normal("u: q a: +1 +2 t: =2#y", "u: q a: +1 +2 t: !1/f" LOST " =2/f#y");

    /* the last ones are still open */

    normal("u: q a: +1 +2", "u: q a: +1 +2");
    normal("u: q a: +1 t: =1 a: go +2", "u: q a: +1 t: =1/f a: go +2");
    normal("u: q a: +1 a: '' u: ''", "u: q a: +1");
    normal("u: q a: +1 s: x", "u: q a: +1 t: !1/f" LOST " s: x");
}


static void
test_no_call(void)
{
    normal("u: q t: =9/h#x", "u: q Result of tool h:\n x");
    normal("t: =9", "u: Result of tool 9:\n");
    normal("u: q a: +1 t: !9#x =1#y",
           "u: q a: +1 t: =1/f#y u: Error of tool 9:\n x");
    CHECK_UINT(rep.ndropped, 1);
    CHECK_STR(rep.dropped[0].data, rep.dropped[0].len, "tool_call_id");

    normal("a: +1 t: =8#x a: +2 t: =1 =2",
           "a: +1 t: =1/f u: Result of tool 8:\n x a: +2 t: =2/f");
}


static void
test_before_call(void)
{
    normal("u: q t: =1#x a: +1 u: go", "u: q a: +1 t: =1/f#x u: go");
    normal("u: =1#x q a: +1", "u: q a: +1 t: =1/f#x");
    normal("u: q a: =1#x +1", "u: q a: +1 t: =1/f#x");
    normal("u: q t: =2#y a: +1 +2 t: =1#x",
           "u: q a: +1 +2 t: =1/f#x =2/f#y");
}


static void
test_duplicates(void)
{
    /* said twice, or in other words */

    normal("u: q a: +1 t: =1#x t: =1#x a: ok", "u: q a: +1 t: =1/f#x a: ok");
    CHECK_UINT(rep.ndropped, 0);

    normal("u: q a: +1 t: =1#x t: =1#y a: ok",
           "u: q a: +1 t: =1/f#x u: Result of tool 1:\n y a: ok");

    /* ids that are used again belong to their turn, and become others */

    normal("u: q a: +1 t: =1#x a: +1 t: =1#y a: +1 t: =1#z",
           "u: q a: +1 t: =1/f#x a: +call_0 t: =call_0/f#y"
           " a: +call_1 t: =call_1/f#z");

    normal("u: q a: +1 t: =1#x t: =1#x a: +1 t: =1#y",
           "u: q a: +1 t: =1/f#x a: +call_0 t: =call_0/f#y");

    normal("u: q a: +1 u: no a: +1 t: =1#y",
           "u: q a: +1 t: !1/f" LOST " u: no a: +call_0 t: =call_0/f#y");

    normal("u: q a: +1 +1 t: =1#x =1#y",
           "u: q a: +1 +call_0 t: =1/f#x =call_0/f#y");

    normal("u: q a: +1 u: no a: +1 t: =1#y =1#x",
           "u: q a: +1 t: =1/f#x u: no a: +call_0 t: =call_0/f#y");
}


static void
test_no_ids(void)
{
    normal("u: q a: +/f +/g t: =/g#y =/f#x",
           "u: q a: +call_0 +call_1 t: =call_0/f#x =call_1/g#y");

    normal("u: q a: +/f +/f t: =/f#x =/f#y a: +/f t: =/f#z",
           "u: q a: +call_0 +call_1 t: =call_0/f#x =call_1/f#y"
           " a: +call_2 t: =call_2/f#z");

    /* a name is enough where there is no id; call_0 is taken */

    normal("u: q a: +call_0/f +/g t: =/f#x =/g#y",
           "u: q a: +call_0 +call_1 t: =call_0/f#x =call_1/g#y");

    normal("u: q a: +1/f t: =#x",
           "u: q a: +1 t: !1/f" LOST " u: Result of tool :\n x");
}


static void
test_escapes(void)
{
    ai_str_t       s;
    ai_part_t     *part;
    ai_message_t  *m;

    read_words("a: +a/b t: =a/b#x");

    m = req.messages;
    m->parts->id = escaped("\\u0061/b");
    m->parts->custom = 1;
    m->next->parts->id = escaped("a\\/b");

    CHECK_INT(ai_request_normalize(&req, &rep), AI_OK);

    s = write_words();
    CHECK_STR(s.data, s.len, "a: +a/b t: =a/b/b#x");

    part = req.messages->next->parts;
    CHECK_INT(part->custom, 1);
    CHECK(part->next == NULL);

    /* an empty text in a result, and an image that stays */

    read_words("a: +1 t: =1#x");

    part = req.messages->next->parts;
    part->content->text = plain("");
    part->content->next = ai_part_create(&unit_arena, AI_PART_IMAGE);

    CHECK_INT(ai_request_normalize(&req, &rep), AI_OK);
    CHECK_INT(part->content->type, AI_PART_IMAGE);
    CHECK(part->content->next == NULL);
}


/* it must not be slow for any number of calls */

static void
test_many(void)
{
    char           buf[32];
    ai_uint_t      i, n;
    ai_part_t     *part, *r;
    ai_message_t  *a, *t;

    n = 20000;

    ai_request_init(&req, &unit_arena);
    ai_report_init(&rep, &unit_arena);

    a = ai_request_message(&req, AI_ROLE_ASSISTANT);
    t = ai_request_message(&req, AI_ROLE_USER);

    for (i = 0; i < n; i++) {
        part = ai_message_part(&req, a, AI_PART_CALL);
        snprintf(buf, sizeof(buf), "%u", (unsigned) (i % (n - 7)));
        part->id = plain(buf);
        part->name = plain("f");

        part = ai_message_part(&req, t, AI_PART_RESULT);
        snprintf(buf, sizeof(buf), "%u", (unsigned) ((n - 1 - i) % (n - 7)));
        part->id = plain(buf);
    }

    CHECK_INT(ai_request_normalize(&req, &rep), AI_OK);

    t = req.messages->next;

    CHECK_INT(t->role, AI_ROLE_TOOL);
    CHECK(t->next == NULL);

    part = req.messages->parts;
    r = t->parts;

    for (i = 0; i < n && part != NULL && r != NULL; i++) {
        if (!ai_mstr_same(&part->id, &r->id)) {
            break;
        }

        part = part->next;
        r = r->next;
    }

    CHECK_UINT(i, n);
    CHECK(part == NULL && r == NULL);
}


static void
test_no_memory(void)
{
    long      i;
    ai_int_t  rc;

    for (i = 0; i < 100; i++) {
        read_words("u: q a: +1 +/g +3 t: =/g#x =7#y u: go a: +1");
        req.messages->next->parts->id = escaped("\\u0031");

        unit.fail_after = i;
        rc = ai_request_normalize(&req, &rep);
        unit.fail_after = -1;

        if (rc == AI_OK) {
            break;
        }

        CHECK_INT(rc, AI_ERROR);
    }

    CHECK(i > 5 && i < 100);
}


static void
test_report(void)
{
    ai_json_t        v;
    ai_str_t         s;
    ai_uint_t        i;
    ai_json_error_t  err;

    ai_report_init(&rep, &unit_arena);

    ai_report_drop(&rep, "seed");
    ai_report_drop(&rep, "logit_bias");
    ai_report_drop(&rep, "seed");

    CHECK_UINT(rep.ndropped, 2);
    CHECK_STR(rep.dropped[1].data, rep.dropped[1].len, "logit_bias");

    s = str("\"a,b \\\"\\u0001\xc3\xa4z\"");
    CHECK_INT(ai_json_scan(s.data, s.len, NULL, &unit_arena, NULL, NULL, &v,
                           &err), AI_OK);
    ai_report_drop_name(&rep, &v);
    CHECK_STR(rep.dropped[2].data, rep.dropped[2].len, "a?b?????z");

    s = str("\"0123456789012345678901234567890123456789"
            "0123456789012345678901234567890123456789\"");
    CHECK_INT(ai_json_scan(s.data, s.len, NULL, &unit_arena, NULL, NULL, &v,
                           &err), AI_OK);
    ai_report_drop_name(&rep, &v);
    CHECK_UINT(rep.dropped[3].len, 64);

    for (i = 0; i < 100; i++) {
        char  name[8];

        snprintf(name, sizeof(name), "\"%d\"", (int) i);
        s = str(name);
        ai_json_scan(s.data, s.len, NULL, &unit_arena, NULL, NULL, &v, &err);
        ai_report_drop_name(&rep, &v);
    }

    CHECK_UINT(rep.ndropped, AI_REPORT_DROPS);

    CHECK_INT(ai_report_refuse(&rep, "messages.3.content", "no"),
              AI_DECLINED);
    CHECK_INT(ai_report_refuse(&rep, NULL, "later"), AI_DECLINED);
    CHECK_STR(rep.message.data, rep.message.len, "no");
    CHECK_STR(rep.param.data, rep.param.len, "messages.3.content");
}


static void
url(const char *s, const char *type, const char *data, const char *to)
{
    ai_mstr_t   m;
    ai_part_t  *part;

    part = ai_part_create(&unit_arena, AI_PART_IMAGE);
    m = escaped(s);

    ai_part_url(part, &m, "image/png");

    CHECK(ai_mstr_eq(&part->media_type, type));
    CHECK(ai_mstr_eq(&part->data, data));
    CHECK(ai_mstr_eq(&part->url, to));
}


static void
test_url(void)
{
    url("data:image/jpeg;base64,AAAA", "image/jpeg", "AAAA", "");
    url("data:image\\/jpeg;base64,AA\\/A", "image/jpeg", "AA/A", "");
    url("DATA:image/jpeg;charset=x;BASE64,AA==", "image/jpeg", "AA==", "");
    url("data:;base64,AAAA", "image/png", "AAAA", "");
    url("data:;base64,", "image/png", "", "");
    url("data:image/jpeg,AAAA", "", "", "data:image/jpeg,AAAA");
    url("data:,x", "", "", "data:,x");
    url("data:", "", "", "data:");
    url("https://a/b,c", "", "", "https://a/b,c");
    url("", "", "", "");
}


static void
test_names(void)
{
    size_t     i;
    ai_mstr_t  m, out, again;

    ai_request_init(&req, &unit_arena);

    m = escaped("get_\\u0077eather-2");
    CHECK_INT(ai_request_name(&req, &m, 64, &out), AI_OK);
    CHECK(ai_mstr_eq(&out, "get_weather-2"));
    CHECK(req.names == NULL);

    m = plain("a.b/c");
    CHECK_INT(ai_request_name(&req, &m, 64, &out), AI_OK);
    CHECK_UINT(out.s.len, 14);
    CHECK(memcmp(out.s.data, "a_b_c_", 6) == 0);

    m = escaped("a.b\\/c");
    CHECK_INT(ai_request_name(&req, &m, 64, &again), AI_OK);
    CHECK(ai_mstr_same(&out, &again));
    CHECK(req.names != NULL && req.names->next == NULL);
    CHECK(ai_mstr_eq(&req.names->name, "a.b/c"));

    m = plain("mcp__a_server_with_a_long_name__a_tool_with_a_longer_name_1234"
              "567890");
    CHECK_INT(ai_request_name(&req, &m, 64, &out), AI_OK);
    CHECK_UINT(out.s.len, 64);
    CHECK(memcmp(out.s.data, m.s.data, 55) == 0);
    CHECK(ai_mstr_same(&req.names->name, &m));

    for (i = 0; i < out.s.len; i++) {
        CHECK(out.s.data[i] != '.' && out.s.data[i] != '/');
    }

    CHECK_INT(ai_request_allowed(&req, &m), 1);

    req.allowed[req.nallowed++] = plain("x");
    CHECK_INT(ai_request_allowed(&req, &m), 0);

    req.allowed[req.nallowed++] = m;
    CHECK_INT(ai_request_allowed(&req, &m), 1);
}


static void
object(ai_mstr_t args, ai_uint_t custom, const char *want)
{
    ai_str_t    s;
    ai_part_t  *part;

    part = ai_part_create(&unit_arena, AI_PART_CALL);
    part->args = args;
    part->custom = custom;

    CHECK_INT(ai_part_object(part, &unit_arena, &s), AI_OK);
    CHECK_MEM(s.data, s.len, want, strlen(want));
}


static void
test_object(void)
{
    object(plain("{\"a\": 1.50}"), 0, "{\"a\": 1.50}");
    object(escaped(" {\\\"a\\\":\\\"\\\\n\\\"} "), 0, "{\"a\":\"\\n\"}");
    object(plain(""), 0, "{}");
    object(escaped(" \\n"), 0, "{}");
    object(plain("null"), 0, "{}");
    object(plain("[1]"), 0, "{\"rawInvalidInput\":\"[1]\"}");
    object(escaped("{\\\"a\\\":"), 0, "{\"rawInvalidInput\":\"{\\\"a\\\":\"}");
    object(plain("rm -r \"x\""), 1, "{\"input\":\"rm -r \\\"x\\\"\"}");
    object(escaped("a\\nb"), 1, "{\"input\":\"a\\nb\"}");
}


static void
test_effort(void)
{
    ai_mstr_t    m;
    ai_effort_e  e;

    for (e = AI_EFFORT_NONE; e <= AI_EFFORT_MAX; e++) {
        m = ai_mstr_cstr(ai_effort_name(e));
        CHECK_INT(ai_effort_find(&m), e);
    }

    CHECK(ai_effort_name(AI_EFFORT_UNSET) == NULL);

    m = plain("medium-rare");
    CHECK_INT(ai_effort_find(&m), AI_EFFORT_UNSET);

    for (e = AI_EFFORT_LOW; e <= AI_EFFORT_HIGH; e++) {
        CHECK_INT(ai_effort_budget(ai_budget_effort(e)), e);
    }

    CHECK_INT(ai_effort_budget(0), AI_EFFORT_NONE);
    CHECK_INT(ai_effort_budget(1), AI_EFFORT_LOW);
    CHECK_INT(ai_effort_budget(31999), AI_EFFORT_HIGH);
    CHECK_UINT(ai_budget_effort(AI_EFFORT_MAX), 16384);
    CHECK_UINT(ai_budget_effort(AI_EFFORT_UNSET), 0);
}


static void
state(ai_state_e kind, const char *id_text, const char *data_text)
{
    u_char      *p;
    size_t       i;
    ai_mstr_t    id, data, slot, id2, data2;
    ai_state_e   kind2;

    id = escaped(id_text);
    data = escaped(data_text);

    CHECK_INT(ai_state_pack(kind, &id, &data, &unit_arena, &slot), AI_OK);
    CHECK_UINT(slot.s.len % 4, 0);

    CHECK_INT(ai_state_unpack(&slot, AI_STATE_ANTHROPIC, &unit_arena, &kind2,
                              &id2, &data2), AI_OK);
    CHECK_INT(kind2, kind);
    CHECK(ai_mstr_same(&id, &id2));
    CHECK(ai_mstr_same(&data, &data2));

    /* from a client that decodes and encodes in its own way */

    p = unit_bytes(slot.s.data, slot.s.len);
    slot.s.data = p;

    for (i = 0; i < slot.s.len; i++) {
        if (p[i] == '+') {
            p[i] = '-';
        }

        if (p[i] == '/') {
            p[i] = '_';
        }
    }

    while (slot.s.len != 0 && p[slot.s.len - 1] == '=') {
        slot.s.len--;
    }

    CHECK_INT(ai_state_unpack(&slot, AI_STATE_ANTHROPIC, &unit_arena, &kind2,
                              &id2, &data2), AI_OK);
    CHECK_INT(kind2, kind);
    CHECK(ai_mstr_same(&id, &id2));
    CHECK(ai_mstr_same(&data, &data2));
}


static void
test_state(void)
{
    size_t      len;
    ai_mstr_t   slot, id, data;
    ai_state_e  kind;

    state(AI_STATE_ANTHROPIC, "", "ErUB+/a==");
    state(AI_STATE_REDACTED, "", "abc\\/def");
    state(AI_STATE_GOOGLE, "", "x");
    state(AI_STATE_OPENAI, "rs_0123", "gAAAA~~~\\u00ff\\u00fe");
    state(AI_STATE_OPENAI, "rs_01", "");
    state(AI_STATE_OPENAI, "rs_012", "?>~\xc3\xbf");

    /* what is not packed is of the slot's own kind */

    slot = escaped("EqQB\\/x");
    CHECK_INT(ai_state_unpack(&slot, AI_STATE_GOOGLE, &unit_arena, &kind,
                              &id, &data), AI_OK);
    CHECK_INT(kind, AI_STATE_GOOGLE);
    CHECK(ai_mstr_empty(&id));
    CHECK(ai_mstr_eq(&data, "EqQB/x"));

    slot = plain("");
    CHECK_INT(ai_state_unpack(&slot, AI_STATE_GOOGLE, &unit_arena, &kind,
                              &id, &data), AI_OK);
    CHECK_INT(kind, AI_STATE_NONE);

    /* ours, cut anywhere: never somebody else's */

    id = plain("rs_1");
    data = plain("0123456789");
    CHECK_INT(ai_state_pack(AI_STATE_OPENAI, &id, &data, &unit_arena, &slot),
              AI_OK);

    for (len = slot.s.len - 1; len >= 8; len--) {
        slot.s.len = len;
        CHECK_INT(ai_state_unpack(&slot, AI_STATE_GOOGLE, &unit_arena, &kind,
                                  &id, &data), AI_OK);
        CHECK(kind == AI_STATE_NONE || kind == AI_STATE_OPENAI);
    }

    slot = plain("YWlndzE6!!!!");
    CHECK_INT(ai_state_unpack(&slot, AI_STATE_GOOGLE, &unit_arena, &kind,
                              &id, &data), AI_OK);
    CHECK_INT(kind, AI_STATE_NONE);

    CHECK_INT(ai_state_pack(AI_STATE_NONE, &id, &data, &unit_arena, &slot),
              AI_OK);
    CHECK(ai_mstr_empty(&slot));
}


int
main(void)
{
    UNIT_RUN(test_roles);
    UNIT_RUN(test_results);
    UNIT_RUN(test_no_result);
    UNIT_RUN(test_no_call);
    UNIT_RUN(test_before_call);
    UNIT_RUN(test_duplicates);
    UNIT_RUN(test_no_ids);
    UNIT_RUN(test_escapes);
    UNIT_RUN(test_many);
    UNIT_RUN(test_no_memory);
    UNIT_RUN(test_report);
    UNIT_RUN(test_url);
    UNIT_RUN(test_names);
    UNIT_RUN(test_object);
    UNIT_RUN(test_effort);
    UNIT_RUN(test_state);

    return unit_done();
}
