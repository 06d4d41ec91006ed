//! The rules for changes of a registration, for both databases: a change is checked against the
//! household, merged with what is stored, and rejected with all its faults at once.
//!
//! Enters: what is stored, the change. Leaves: what is to be stored. Absent: SQL.

use ebp_core::{
    contract::{HouseholdChange, MeterChange, NewMeter, NewPvSystem, PvSystemChange},
    model::{GenerationRegister, Meter, MeterType, PvSystem},
};
use uuid::Uuid;

use super::{Faults, StoreError};

/// Checks a change of a household's members. `taken` means that another participant has the e-mail
/// address.
///
/// # Errors
/// Returns [`StoreError::Registration`] with every fault.
pub fn check_household(change: &HouseholdChange, taken: bool) -> Result<(), StoreError> {
    let mut faults = Faults::against_schema(change);
    faults.check(!taken, "/participant/email", "belongs to another participant");
    faults.none_or_all()
}

/// Checks that a household may be removed; `measured` are its meters with measurements.
///
/// # Errors
/// Returns [`StoreError::InUse`] if there are any.
pub fn may_remove_household(measured: &[Uuid]) -> Result<(), StoreError> {
    if measured.is_empty() {
        return Ok(());
    }
    Err(StoreError::InUse("measurements were made in the household, and they are kept"))
}

/// Checks that a device may read these meters; `found` is how many of them exist and were not
/// removed.
///
/// # Errors
/// Returns [`StoreError::InUse`] if there is none.
pub fn must_be_there(found: usize) -> Result<(), StoreError> {
    if found > 0 {
        return Ok(());
    }
    Err(StoreError::InUse("the meter was taken down; set its `removed_at` to null if it was not"))
}

/// A register is told of generation meters alone.
fn check_register(kind: MeterType, register: Option<GenerationRegister>, faults: &mut Faults) {
    faults.check(
        register.is_none() || kind == MeterType::PvGeneration,
        "/generation_register",
        "is asked of PV-GENERATION meters only",
    );
}

/// The members of a household.
#[derive(Debug, Default)]
pub struct Members {
    /// Its meters.
    pub meters: Vec<Meter>,
    /// Its photovoltaic systems.
    pub pv_systems: Vec<PvSystem>,
    /// Its measurement devices.
    pub devices: Vec<Uuid>,
}

/// Every method fails with [`StoreError::NotFound`] if the household has no such member, with
/// [`StoreError::Registration`] with every fault, and with [`StoreError::InUse`] if the member
/// cannot be removed.
impl Members {
    /// The meter to add; `taken` means that its identifier is registered already.
    pub fn new_meter(&self, new: &NewMeter, taken: bool) -> Result<Meter, StoreError> {
        let mut faults = Faults::against_schema(new);
        faults.check(!taken, "/uuid", "is registered already");
        self.check_device(new.measurement_device, &mut faults);
        check_register(new.kind, new.generation_register, &mut faults);
        faults.none_or_all()?;
        Ok(Meter {
            uuid: new.uuid.unwrap_or_else(Uuid::new_v4),
            kind: new.kind,
            model: new.model.clone(),
            measurement_device: new.measurement_device,
            removed_at: None,
            generation_register: new.generation_register,
        })
    }

    /// The changed meter.
    pub fn changed_meter(&self, uuid: Uuid, change: &MeterChange) -> Result<Meter, StoreError> {
        let mut meter = self.meter(uuid)?.clone();
        let MeterChange { kind, model, measurement_device, removed_at, generation_register } =
            change;
        let mut faults = Faults::against_schema(change);
        if let Some(kind) = *kind {
            meter.kind = kind;
            faults.check(
                kind == MeterType::PvGeneration || !self.is_connected(uuid),
                "/type",
                "must stay PV-GENERATION while a photovoltaic system is connected to it",
            );
        }
        if let Some(model) = model {
            meter.model.clone_from(model);
        }
        if let Some(device) = *measurement_device {
            meter.measurement_device = device;
            self.check_device(device, &mut faults);
        }
        if let Some(removed_at) = *removed_at {
            meter.removed_at = removed_at;
            if removed_at.is_some() && measurement_device.is_none() {
                meter.measurement_device = None;
            }
        }
        if meter.kind != MeterType::PvGeneration {
            meter.generation_register = None;
        }
        if let Some(register) = *generation_register {
            meter.generation_register = register;
            check_register(meter.kind, register, &mut faults);
        }
        faults.check(
            meter.removed_at.is_none() || meter.measurement_device.is_none(),
            "/measurement_device",
            "must be null for a meter that was taken down",
        );
        faults.none_or_all()?;
        Ok(meter)
    }

    /// The photovoltaic system to add.
    pub fn new_pv_system(&self, new: &NewPvSystem) -> Result<PvSystem, StoreError> {
        let system = PvSystem {
            uuid: Uuid::new_v4(),
            nominal_power: new.nominal_power,
            azimuth: new.azimuth,
            tilt: new.tilt,
            installed_on: new.installed_on,
            meter: new.meter,
        };
        self.check_pv_system(&system, Faults::against_schema(new))?;
        Ok(system)
    }

    /// The changed photovoltaic system.
    pub fn changed_pv_system(
        &self,
        uuid: Uuid,
        change: &PvSystemChange,
    ) -> Result<PvSystem, StoreError> {
        let stored = self.pv_system(uuid)?;
        let system = PvSystem {
            uuid,
            nominal_power: change.nominal_power.unwrap_or(stored.nominal_power),
            azimuth: change.azimuth.unwrap_or(stored.azimuth),
            tilt: change.tilt.unwrap_or(stored.tilt),
            installed_on: change.installed_on.unwrap_or(stored.installed_on),
            meter: change.meter.unwrap_or(stored.meter),
        };
        self.check_pv_system(&system, Faults::against_schema(change))?;
        Ok(system)
    }

    /// Whether a meter may be removed; `measured` are those with measurements.
    pub fn may_remove_meter(&self, uuid: Uuid, measured: &[Uuid]) -> Result<(), StoreError> {
        self.meter(uuid)?;
        if measured.contains(&uuid) {
            return Err(StoreError::InUse("the meter has measurements, which are kept"));
        }
        if self.is_connected(uuid) {
            return Err(StoreError::InUse("a photovoltaic system is connected to the meter"));
        }
        Ok(())
    }

    /// Whether a photovoltaic system may be removed; `measured` are the meters with measurements.
    pub fn may_remove_pv_system(&self, uuid: Uuid, measured: &[Uuid]) -> Result<(), StoreError> {
        if self.pv_system(uuid)?.meter.is_some_and(|meter| measured.contains(&meter)) {
            return Err(StoreError::InUse(
                "the system's meter has measurements; disconnect it first if it is not its meter",
            ));
        }
        Ok(())
    }

    /// Whether a device may be removed; `measured` are the meters with measurements, `certified`
    /// means that certificates were issued to it.
    pub fn may_remove_device(
        &self,
        uuid: Uuid,
        measured: &[Uuid],
        certified: bool,
    ) -> Result<(), StoreError> {
        let reads = |meter: &Meter| meter.measurement_device == Some(uuid);
        if self.meters.iter().any(|meter| reads(meter) && measured.contains(&meter.uuid)) {
            return Err(StoreError::InUse("the device reads a meter that has measurements"));
        }
        if certified {
            return Err(StoreError::InUse("certificates were issued to the device; revoke them"));
        }
        Ok(())
    }

    fn meter(&self, uuid: Uuid) -> Result<&Meter, StoreError> {
        self.meters.iter().find(|meter| meter.uuid == uuid).ok_or(StoreError::NotFound)
    }

    fn pv_system(&self, uuid: Uuid) -> Result<&PvSystem, StoreError> {
        self.pv_systems.iter().find(|system| system.uuid == uuid).ok_or(StoreError::NotFound)
    }

    fn is_connected(&self, meter: Uuid) -> bool {
        self.pv_systems.iter().any(|system| system.meter == Some(meter))
    }

    fn check_device(&self, device: Option<Uuid>, faults: &mut Faults) {
        faults.check(
            device.is_none_or(|device| self.devices.contains(&device)),
            "/measurement_device",
            "must be one of the household",
        );
    }

    fn check_pv_system(&self, system: &PvSystem, mut faults: Faults) -> Result<(), StoreError> {
        let generates = |wanted| {
            let mut generating =
                self.meters.iter().filter(|meter| meter.kind == MeterType::PvGeneration);
            generating.any(|meter| meter.uuid == wanted)
        };
        faults.check(
            system.meter.is_none_or(generates),
            "/meter",
            "must be a PV-GENERATION meter of the household",
        );
        faults.none_or_all()
    }
}
