/* SPDX-License-Identifier: MIT */
/* Exit codes are a promise to scripts: each number and each errno. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/fault.h"

static void test_numbers(void **state)
{
    /* The table of the manual; a change here breaks people's scripts. */
    static const struct {
        int number;
        enum exit_code code;
    } table[] = {
        {0, EXIT_DONE},
        {1, EXIT_FAILED},
        {2, EXIT_USAGE},
        {3, EXIT_NOT_FOUND},
        {4, EXIT_NOT_VIGIL},
        {5, EXIT_PERMISSION},
        {6, EXIT_STORAGE},
        {7, EXIT_TIMED_OUT},
        {8, EXIT_REFUSED},
        {9, EXIT_UNSUPPORTED},
        {10, EXIT_PARTIAL},
        {125, EXIT_BUG},
        {126, EXIT_HELPER_NOT_EXECUTABLE},
        {127, EXIT_HELPER_NOT_FOUND},
        {130, EXIT_INTERRUPTED},
        {143, EXIT_TERMINATED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(table[i].number, (int)table[i].code);
        assert_string_not_equal(exit_code_text(table[i].number),
                                "unknown exit code");
    }
    assert_string_equal(exit_code_text(99), "unknown exit code");
}

static void test_errno(void **state)
{
    static const struct {
        int err;
        enum exit_code code;
    } table[] = {
        {0, EXIT_DONE},
        {ESRCH, EXIT_NOT_FOUND},
        {ENOENT, EXIT_NOT_FOUND},
        {EPERM, EXIT_PERMISSION},
        {EACCES, EXIT_PERMISSION},
        {ENOSPC, EXIT_STORAGE},
        {EDQUOT, EXIT_STORAGE},
        {EIO, EXIT_STORAGE},
        {EROFS, EXIT_STORAGE},
        {ESTALE, EXIT_STORAGE},
        {EFBIG, EXIT_STORAGE},
        {ETIMEDOUT, EXIT_TIMED_OUT},
        {EBUSY, EXIT_REFUSED},
        {EEXIST, EXIT_REFUSED},
        {ENOSYS, EXIT_UNSUPPORTED},
        {EOPNOTSUPP, EXIT_UNSUPPORTED},
        {EINTR, EXIT_INTERRUPTED},
        {EINVAL, EXIT_FAILED},
        {ENOMEM, EXIT_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(exit_code_of_errno(table[i].err), table[i].code);
    }
}

static void test_fault_text(void **state)
{
    struct fault fault;
    char longer[2 * FAULT_TEXT_BYTES];

    (void)state;
    errno = 77;
    assert_int_equal(fault_errno(&fault, ENOENT, "cannot read %s", "x"), -1);
    assert_int_equal(errno, 77);
    assert_int_equal(fault.code, EXIT_NOT_FOUND);
    assert_string_equal(fault.text, "cannot read x: No such file or directory");

    memset(longer, 'a', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    fault_errno(&fault, EIO, "%s", longer);
    assert_int_equal(strlen(fault.text), FAULT_TEXT_BYTES - 1);
    assert_int_equal(fault_set(&fault, EXIT_REFUSED, "no"), -1);
    assert_int_equal(fault.code, EXIT_REFUSED);
}

static void test_long_texts(void **state)
{
    struct fault fault;
    char path[2 * FAULT_TEXT_BYTES];

    (void)state;
    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    fault_errno(&fault, ENOSPC, "cannot open %s", path);
    assert_int_equal(strlen(fault.text), FAULT_TEXT_BYTES - 1);
    assert_non_null(strstr(fault.text, "p: No space left on device"));
    assert_int_equal(exit_code_of_signal(SIGINT), EXIT_INTERRUPTED);
    assert_int_equal(exit_code_of_signal(SIGTERM), EXIT_TERMINATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_fault_text),
        cmocka_unit_test(test_long_texts),
    };

    return UNIT_RUN(tests);
}
