#include "model/chip/chip.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "model/base/error.hpp"
#include "model/timing/engines.hpp"

namespace diastole {

Cycles window_of(const ChipParams& chip) {
    const Cycles neighbours =
        Cycles(chip.reduction.neighbour_cycles) + neighbour_cycles(chip.reduction, 1, Bytes(1));
    return std::min(
        {Cycles(2 * chip.noc.port_cycles), Cycles(chip.control.sync_cycles), neighbours});
}

Cycles lead_of(const ChipParams& chip) {
    const Cycles window = window_of(chip), port(chip.noc.port_cycles);
    return window > port ? window - port : Cycles(0);
}

Chip::Chip(const sc_core::sc_module_name& name, const ChipParams& params, MemoryMode mode)
    : sc_module(name),
      params_(params),
      conductor_("conductor", clock_of(params), window_of(params)),
      control_("control", params),
      noc_("noc", params),
      host_link_("host_link", params),
      reduction_network_("reduction_network", params) {
    control_.wake(conductor_.wake_export);
    control_.set_number(conductor_.add(control_, "control core"));
    noc_.wake(conductor_.wake_export);
    host_link_.wake(conductor_.wake_export);
    host_link_.noc(noc_.requests);
    host_link_.control(control_.reports);
    control_.host_link(host_link_.commands);
    for (std::uint32_t i = 0; i < pe_count(params); ++i) make_pe(i);
    noc_.requesters[2 * pe_count(params)](host_link_.to_host_answers);
    noc_.requesters[2 * pe_count(params) + 1](host_link_.to_device_answers);
    host_link_.set_number(conductor_.add(host_link_, "host link"));
    noc_.set_number(conductor_.add(noc_, "noc", lead_of(params)));
    for (std::uint32_t i = 0; i < params.sram.partitions; ++i) make_partition(i, mode);
}

void Chip::make_pe(std::uint32_t index) {
    const std::string place = std::to_string(index / params_.grid.columns) + "_" +
                              std::to_string(index % params_.grid.columns);
    const auto source = static_cast<std::uint16_t>(index);
    auto pe = std::make_unique<Pe>(("pe_" + place).c_str(), params_, index);
    auto in = std::make_unique<DmaEngine>(("dma_in_" + place).c_str(), params_, AccessKind::read,
                                          source, 2 * index);
    auto out = std::make_unique<DmaEngine>(("dma_out_" + place).c_str(), params_, AccessKind::write,
                                           source, 2 * index + 1);
    const std::size_t number = conductor_.add(*pe, "PE " + place);
    pe->set_number(number);
    pe->wake(conductor_.wake_export);
    pe->dma_in(in->control);
    pe->dma_out(out->control);
    pe->control(control_.reports);
    pe->neighbours(reduction_network_.senders);
    for (DmaEngine* engine : {in.get(), out.get()}) {
        engine->set_owner(number);
        engine->wake(conductor_.wake_export);
        engine->noc(noc_.requests);
    }
    noc_.requesters[2 * index](in->answers);
    noc_.requesters[2 * index + 1](out->answers);
    control_.pes[index](pe->orders);
    reduction_network_.pes[index](pe->orders);
    pes_.push_back(std::move(pe));
    dma_in_.push_back(std::move(in));
    dma_out_.push_back(std::move(out));
}

void Chip::make_partition(std::uint32_t index, MemoryMode mode) {
    const std::string label = "partition_" + std::to_string(index);
    auto partition = std::make_unique<MemoryPartition>(label.c_str(), params_, index, mode);
    partition->set_number(conductor_.add(*partition, "memory " + label, lead_of(params_) * 2));
    partition->wake(conductor_.wake_export);
    partition->replies(noc_.replies);
    noc_.partitions[index](partition->requests);
    partitions_.push_back(std::move(partition));
}

void Chip::run(JobStream& stream, std::function<void(const JobRecord&)> on_record,
               std::function<void(Cycles)> on_drained, std::function<void(Cycles)> monitor) {
    control_.set_work(stream, std::move(on_record), std::move(on_drained));
    conductor_.set_monitor(std::move(monitor));
    conductor_.set_finished([this] { return control_.finished(); });
    sc_core::sc_start();
    conductor_.rethrow();
}

void Chip::close_accounts(Cycles at) {
    for (auto& pe : pes_) pe->close(at);
}

}  // namespace diastole
