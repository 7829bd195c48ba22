/* SPDX-License-Identifier: MIT */
/*
 * evtchn - 2-level event channels of one domain with itself.
 *
 * Claim: ports are made, bound, sent to, masked, unmasked and closed as the
 * ABI says; an event is delivered once per edge; none is lost while masked.
 * Plan:
 *   1. IPI: bind, send masked (pending, no upcall), unmask (one upcall).
 *   2. Upcall mask: events wait for it, and come at the next exit.
 *   3. alloc_unbound with ourselves, bind_interdomain: both ends know of each
 *      other, the binding end gets one event, sending crosses over.
 *   4. close: the peer falls back to unbound; a closed port is refused.
 *   5. Limits: bad ports, bad VIRQs, bad domains give errors, nothing else.
 */
#include "stub.h"

const char stub_name[] = "evtchn";

static struct evtchn_status status_of(evtchn_port_t port)
{
    struct evtchn_status status = {.dom = DOMID_SELF, .port = port};
    long rc = hc_evtchn_op(EVTCHNOP_status, &status);

    CHECK(rc == 0, "status of port %u: %ld", port, rc);
    return status;
}

static void check_ipi(void)
{
    struct evtchn_bind_ipi bind = {.vcpu = 0};
    evtchn_port_t port;

    CHECK(hc_evtchn_op(EVTCHNOP_bind_ipi, &bind) == 0, "bind_ipi");
    port = bind.port;
    CHECK(port != 0, "port 0 is never given out");
    CHECK(status_of(port).status == EVTCHNSTAT_ipi, "status");

    CHECK(hc_evtchn_send(port) == 0, "send");
    CHECK(evtchn_is_pending(port), "not pending after send");
    CHECK(evtchn_count(port) == 0, "a masked port made an upcall");
    events_enable();
    CHECK(evtchn_count(port) == 0, "a masked port made an upcall");
    CHECK(evtchn_unmask(port) == 0, "unmask");
    CHECK(evtchn_count(port) == 1, "unmask delivered %u", evtchn_count(port));
    CHECK(!evtchn_is_pending(port), "still pending");
    CHECK(hc_evtchn_send(port) == 0, "send");
    CHECK(evtchn_count(port) == 2, "send delivered %u", evtchn_count(port));

    /* Held by the upcall mask; two sends are one edge. */
    events_disable();
    CHECK(hc_evtchn_send(port) == 0 && hc_evtchn_send(port) == 0, "send");
    CHECK(evtchn_count(port) == 2, "upcall in spite of the mask");
    CHECK(READ_ONCE(vcpu_info0->evtchn_upcall_pending), "no pending flag");
    CHECK(READ_ONCE(vcpu_info0->evtchn_pending_sel) >> (port / 64) & 1,
          "no selector bit");
    events_enable();
    CHECK(evtchn_count(port) == 3, "two sends came as %u",
          evtchn_count(port) - 2);

    CHECK(hc_evtchn_close(port) == 0, "close");
    CHECK(hc_evtchn_send(port) == -XEN_EINVAL, "send to a closed port");
    events_disable();
}

static void check_interdomain(void)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF,
                                         .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};
    struct evtchn_status status;

    CHECK(hc_evtchn_op(EVTCHNOP_alloc_unbound, &alloc) == 0, "alloc_unbound");
    CHECK(status_of(alloc.port).status == EVTCHNSTAT_unbound, "status");
    CHECK(hc_evtchn_send(alloc.port) == 0,
          "send to an unbound port is dropped");

    bind.remote_port = alloc.port;
    CHECK(hc_evtchn_op(EVTCHNOP_bind_interdomain, &bind) == 0,
          "bind_interdomain");
    CHECK(evtchn_is_pending(bind.local_port),
          "the binding end did not get its first event");
    CHECK(evtchn_clear(bind.local_port), "clear");
    status = status_of(alloc.port);
    CHECK(status.status == EVTCHNSTAT_interdomain &&
              status.u.interdomain.port == bind.local_port,
          "the peer is in state %u, port %u", status.status,
          status.u.interdomain.port);
    evtchn_clear(alloc.port);

    CHECK(hc_evtchn_send(alloc.port) == 0, "send");
    CHECK(evtchn_is_pending(bind.local_port) && !evtchn_is_pending(alloc.port),
          "sending did not cross over");
    CHECK(hc_evtchn_send(bind.local_port) == 0, "send back");
    CHECK(evtchn_is_pending(alloc.port), "sending back did not arrive");

    /* Bound already: nobody else. */
    CHECK(hc_evtchn_op(EVTCHNOP_bind_interdomain, &bind) < 0,
          "a bound port can be bound again");
    CHECK(hc_evtchn_close(bind.remote_port) == 0, "close");
    CHECK(status_of(bind.local_port).status == EVTCHNSTAT_unbound,
          "the peer of a closed port is not unbound");
    CHECK(hc_evtchn_close(bind.local_port) == 0, "close");
    evtchn_clear(alloc.port);
    evtchn_clear(bind.local_port);
}

static void check_limits(void)
{
    struct evtchn_bind_virq virq = {.virq = 24, .vcpu = 0};
    struct evtchn_bind_vcpu vcpu = {.port = 0, .vcpu = 0};
    struct evtchn_alloc_unbound alloc = {.dom = 0x7fef, .remote_dom = 0};
    struct evtchn_bind_interdomain bind = {.remote_dom = 0x7fef};
    struct evtchn_bind_ipi ipi = {.vcpu = 4000};
    struct evtchn_expand_array expand = {.array_gfn = 0};

    CHECK(hc_evtchn_send(0) == -XEN_EINVAL, "send to port 0");
    CHECK(hc_evtchn_send(1 << 20) == -XEN_EINVAL, "send to port 2^20");
    CHECK(hc_evtchn_close(0) == -XEN_EINVAL, "close port 0");
    CHECK(hc_evtchn_close(~0U) == -XEN_EINVAL, "close port 2^32 - 1");
    CHECK(evtchn_unmask(~0U) == -XEN_EINVAL, "unmask port 2^32 - 1");
    CHECK(hc_evtchn_op(EVTCHNOP_bind_vcpu, &vcpu) < 0, "bind_vcpu of port 0");
    CHECK(hc_evtchn_op(EVTCHNOP_bind_virq, &virq) == -XEN_EINVAL, "VIRQ 24");
    virq.virq = VIRQ_TIMER;
    virq.vcpu = 4000;
    CHECK(hc_evtchn_op(EVTCHNOP_bind_virq, &virq) == -XEN_ENOENT,
          "a VIRQ on vCPU 4000");
    CHECK(hc_evtchn_op(EVTCHNOP_bind_ipi, &ipi) == -XEN_ENOENT,
          "an IPI on vCPU 4000");
    CHECK(hc_evtchn_op(EVTCHNOP_alloc_unbound, &alloc) < 0,
          "alloc_unbound for no domain");
    CHECK(hc_evtchn_op(EVTCHNOP_bind_interdomain, &bind) == -XEN_ESRCH,
          "bind_interdomain to no domain");
    CHECK(hc_evtchn_op(EVTCHNOP_expand_array, &expand) == -XEN_EOPNOTSUPP,
          "expand_array before init_control");
    CHECK(hc_evtchn_op(99, &expand) == -XEN_ENOSYS, "sub-op 99");
}

void stub_main(void)
{
    check_ipi();
    check_interdomain();
    check_limits();
    report(VERDICT_SUCCESS, "2-level event channels work");
}
